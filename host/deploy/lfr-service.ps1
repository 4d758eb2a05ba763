<#
.SYNOPSIS
LfrEngine as a Windows service with the least rights. Run it as an administrator in the folder that `./lfr publish win-x64` made.
.DESCRIPTION
Copies nothing: keep the folder where it is, for example C:\Program Files\LfrEngine, where only administrators write.
The service runs as its own virtual account, NT SERVICE\LfrEngine, which exists without a password and may write to the data folder only.
lfr.json ("data": "C:\\ProgramData\\LfrEngine\\data") must be in C:\ProgramData\LfrEngine first: lfr.exe config init writes one.
.EXAMPLE
.\lfr-service.ps1            installs and starts the service
.\lfr-service.ps1 -Remove    stops and removes it; the data stays
#>
param([switch]$Remove)
$ErrorActionPreference = 'Stop'
$name = 'LfrEngine'
$account = "NT SERVICE\$name"
$data = Join-Path $env:ProgramData $name
$config = Join-Path $data 'lfr.json'
$program = Join-Path $PSScriptRoot 'lfr.exe'

function Invoke-Sc { & sc.exe @args | Out-Null; if ($LASTEXITCODE -ne 0) { throw "sc.exe $($args -join ' ') failed: $LASTEXITCODE" } }

if ($Remove) {
    if ((Get-Service $name).Status -ne 'Stopped') { Stop-Service $name }
    Invoke-Sc delete $name
    Remove-EventLog -Source $name
    return
}
if (-not (Test-Path $config)) { throw "$config is missing. Write it with: lfr.exe config init --config `"$config`"" }

Invoke-Sc create $name "binPath=`"$program`" serve --config `"$config`"" 'start=delayed-auto' "obj=$account"
Invoke-Sc description $name 'Live facial recognition against a watchlist.'
# An identity of its own, and no right but these two: to be told of changes of folders (every program has it), and to keep faces in memory that Windows does not write to its page file.
Invoke-Sc sidtype $name unrestricted
Invoke-Sc privs $name 'SeChangeNotifyPrivilege/SeIncreaseWorkingSetPrivilege'
# As the systemd unit: again after a failure, two seconds later.
Invoke-Sc failure $name 'reset=86400' 'actions=restart/2000/restart/2000/restart/2000'
# No diagnostics port, no dumps; the installation's signing key and the models lie with the data, not in a home.
New-ItemProperty "HKLM:\SYSTEM\CurrentControlSet\Services\$name" -Name Environment -PropertyType MultiString -Force -Value @(
    'DOTNET_EnableDiagnostics=0', 'DOTNET_DbgEnableMiniDump=0', "LFR_CONFIG=$data\key", "LFR_CACHE=$data\models") | Out-Null
# Where it writes warnings beside its own log; only an administrator can add a source.
if (-not [System.Diagnostics.EventLog]::SourceExists($name)) { New-EventLog -LogName Application -Source $name }
# The data folder: administrators, the system and the service; nobody else reads it.
foreach ($folder in "$data\key", "$data\models", "$data\data") { New-Item $folder -ItemType Directory -Force | Out-Null }
& icacls.exe $data /inheritance:r /grant:r 'Administrators:(OI)(CI)F' 'SYSTEM:(OI)(CI)F' "${account}:(OI)(CI)M" | Out-Null
if ($LASTEXITCODE -ne 0) { throw "The rights of $data could not be set." }
# Error reports of Windows would hold faces.
New-Item 'HKLM:\SOFTWARE\Microsoft\Windows\Windows Error Reporting\ExcludedApplications' -Force | Set-ItemProperty -Name 'lfr.exe' -Value 1
Start-Service $name
Get-Service $name
