"""ONVIF cameras on the loopback interface, standard library only: WS-Discovery, device and media services.

Usage: onvif_camera.py FILE, where FILE is a JSON array of cameras. Prints "ready" when all of them answer, then a line per call.

Each camera: address (127.0.0.N), name, and of these what differs from a plain camera:
  user, password      wanted by all calls but GetSystemDateAndTime; the digest is checked as the standard says
  http_digest         asks for HTTP digest instead
  clock_offset        seconds by which its clock is ahead; a digest is taken only within 60 s of it
  media2              offers the second media service; no_services: answers only GetCapabilities
  profiles            [{name, codec, width, height, fps, uri}]; ADDRESS in a uri becomes its own
  xaddrs              what it says in its discovery answer instead of its own address
  media_xaddr         what it says about its media service
  raw                 sends these bytes (latin-1) for every call; raw_discovery: as its answer to a probe
  bomb                what to answer with: dtd, entities, external, deep, huge, endless, drip, silent, redirect, latin
  answers             how often it answers a probe, each time as another device
  location            where it redirects to
"""
import base64
import datetime
import hashlib
import http.server
import json
import re
import socket
import struct
import sys
import threading
import time
import xml.etree.ElementTree as xml
from xml.sax.saxutils import escape

GROUP, PORT = "239.255.255.250", 3702
SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSD = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
TDS = "http://www.onvif.org/ver10/device/wsdl"
TRT = "http://www.onvif.org/ver10/media/wsdl"
TR2 = "http://www.onvif.org/ver20/media/wsdl"

print_lock = threading.Lock()


def say(text):
    with print_lock:
        print(text, flush=True)


def envelope(body, header=""):
    return (f'<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}" xmlns:wsa="{WSA}" xmlns:d="{WSD}" xmlns:tds="{TDS}" '
            f'xmlns:trt="{TRT}" xmlns:tr2="{TR2}" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error" '
            f'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><SOAP-ENV:Header>{header}</SOAP-ENV:Header><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>').encode()


def bomb(kind, host):
    if kind == "dtd":
        return b'<?xml version="1.0"?><!DOCTYPE a [<!ELEMENT a ANY>]><a/>'
    if kind == "entities":
        lines = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(9))
        return f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "boom">{lines}]><a>&e9;</a>'.encode()
    if kind == "external":
        return f'<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://{host}/stolen"><a/>'.encode()
    if kind == "deep":
        return b"<Envelope><Body><Fault><Reason><Text>" + b"<a>" * 70000 + b"</a>" * 70000 + b"</Text></Reason></Fault></Body></Envelope>"
    if kind == "latin":
        return b'<?xml version="1.0" encoding="x-no-such-thing"?><a>\xff\xfe</a>'
    raise ValueError(kind)


class Camera:
    def __init__(self, settings):
        self.s = settings
        self.address = settings["address"]
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                say(f"{camera.address} GET {self.path}")
                self.send_error(404)

            def do_POST(self):
                camera.answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

        self.server = http.server.ThreadingHTTPServer((self.address, 0), Handler)
        self.host = f"{self.address}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.udp.bind((GROUP, PORT))
        self.udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1"))
        threading.Thread(target=self.discover, daemon=True).start()

    # WS-Discovery

    def discover(self):
        while True:
            datagram, sender = self.udp.recvfrom(65536)
            root = xml.fromstring(datagram)
            if root.findtext(f".//{{{WSA}}}Action") != f"{WSD}/Probe":
                continue
            message, types = root.findtext(f".//{{{WSA}}}MessageID"), root.findtext(f".//{{{WSD}}}Types") or ""
            if types and "NetworkVideoTransmitter" not in types:
                continue
            say(f"{self.address} probed")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
                back.bind((self.address, 0))
                for i in range(self.s.get("answers", 1)):
                    back.sendto(self.match(message, i), sender)

    def match(self, message, number):
        if "raw_discovery" in self.s:
            return self.s["raw_discovery"].replace("MESSAGE", message).encode("latin-1")
        xaddrs = self.s.get("xaddrs", f"http://192.0.2.7/onvif/device_service http://{self.host}/onvif/device_service").replace("NUMBER", str(number))
        name = self.s.get("name", "camera")
        return envelope(
            f"<d:ProbeMatches><d:ProbeMatch><wsa:EndpointReference><wsa:Address>urn:uuid:{self.address}-{number}</wsa:Address></wsa:EndpointReference>"
            f"<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types><d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/{name} "
            f"onvif://www.onvif.org/hardware/Box-1</d:Scopes><d:XAddrs>{xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches>",
            f"<wsa:MessageID>urn:uuid:answer-{number}</wsa:MessageID><wsa:RelatesTo>{message}</wsa:RelatesTo><wsa:Action>{WSD}/ProbeMatches</wsa:Action>")

    # SOAP over HTTP

    def answer(self, http, request):
        call = re.search(rb"Body>\s*<(?:\w+:)?(\w+)", request)
        call = call.group(1).decode() if call else "?"
        kind = self.s.get("bomb")
        if kind == "silent":
            say(f"{self.address} {call} silent")
            time.sleep(60)
            return
        if kind in ("huge", "endless", "drip"):
            self.flood(http, kind)
            return
        if kind == "redirect":
            self.send(http, 307, b"", {"Location": self.s["location"]})
            return
        if kind:
            self.send(http, 200, bomb(kind, self.host))
            return
        if "raw" in self.s:
            self.send(http, 200, self.s["raw"].encode("latin-1"))
            return
        if call != "GetSystemDateAndTime" and self.s.get("user"):
            refusal = self.http_refusal(http) if self.s.get("http_digest") else self.token_refusal(request)
            if refusal:
                say(f"{self.address} {call} refused: {refusal}")
                if self.s.get("http_digest"):
                    self.send(http, 401, b"", {"WWW-Authenticate": 'Digest realm="camera", nonce="8f2c", qop="auth", algorithm=MD5'})
                else:
                    self.send(http, 400, envelope("<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode>"
                                                  "<SOAP-ENV:Value>ter:NotAuthorized</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason>"
                                                  '<SOAP-ENV:Text xml:lang="en">Sender not Authorized</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>'))
                return
        say(f"{self.address} {call} answered")
        body = getattr(self, "on_" + call, None)
        body = body(request) if body else None
        if body is None:
            self.send(http, 400, envelope("<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Receiver</SOAP-ENV:Value></SOAP-ENV:Code><SOAP-ENV:Reason>"
                                          '<SOAP-ENV:Text xml:lang="en">Optional Action Not Implemented</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>'))
        else:
            self.send(http, 200, envelope(body))

    @staticmethod
    def send(http, status, body, headers=None):
        http.send_response(status)
        for name, value in {"Content-Type": "application/soap+xml; charset=utf-8", **(headers or {})}.items():
            http.send_header(name, value)
        http.send_header("Content-Length", str(len(body)))
        http.end_headers()
        http.wfile.write(body)

    @staticmethod
    def flood(http, kind):
        http.send_response(200)
        http.send_header("Content-Type", "application/soap+xml")
        http.send_header("Connection", "close")
        if kind == "huge":
            http.send_header("Content-Length", str(1 << 40))
        http.end_headers()
        try:
            while True:
                http.wfile.write(b" " if kind == "drip" else b"<a/>" * 16384)
                if kind == "drip":
                    time.sleep(0.1)
        except OSError:
            http.close_connection = True

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.s.get("clock_offset", 0))

    def token_refusal(self, request):
        token = xml.fromstring(request).find(f".//{{{WSSE}}}UsernameToken")
        if token is None:
            return "no token"
        password = token.find(f"{{{WSSE}}}Password")
        if not (password.get("Type") or "").endswith("#PasswordDigest"):
            return "the password is no digest"
        created = token.findtext(f"{{{WSU}}}Created")
        age = self.now() - datetime.datetime.fromisoformat(created.replace("Z", "+00:00"))
        if abs(age.total_seconds()) > 60:
            return "the token is not of this time"
        nonce = base64.b64decode(token.findtext(f"{{{WSSE}}}Nonce"))
        wanted = base64.b64encode(hashlib.sha1(nonce + created.encode() + self.s["password"].encode()).digest()).decode()
        if token.findtext(f"{{{WSSE}}}Username") != self.s["user"] or password.text != wanted:
            return "wrong user or password"
        return None

    def http_refusal(self, http):
        header = http.headers.get("Authorization", "")
        if not header.startswith("Digest "):
            return "no digest" if not header else "not a digest"
        given = {k: v.strip('"') for k, v in re.findall(r'(\w+)=("[^"]*"|[^,\s]*)', header)}
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
        ha1, ha2 = md5(f"{self.s['user']}:camera:{self.s['password']}"), md5(f"POST:{http.path}")
        wanted = md5(":".join((ha1, "8f2c", given.get("nc", ""), given.get("cnonce", ""), "auth", ha2)))
        return None if given.get("username") == self.s["user"] and given.get("response") == wanted else "wrong user or password"

    def on_GetSystemDateAndTime(self, _):
        n = self.now()
        return ("<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:UTCDateTime>"
                f"<tt:Time><tt:Hour>{n.hour}</tt:Hour><tt:Minute>{n.minute}</tt:Minute><tt:Second>{n.second}</tt:Second></tt:Time>"
                f"<tt:Date><tt:Year>{n.year}</tt:Year><tt:Month>{n.month}</tt:Month><tt:Day>{n.day}</tt:Day></tt:Date>"
                "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>")

    def on_GetDeviceInformation(self, _):
        return (f"<tds:GetDeviceInformationResponse><tds:Manufacturer>{escape(self.s.get('maker', 'Acme'))}</tds:Manufacturer><tds:Model>{escape(self.s.get('model', 'Box 1'))}</tds:Model>"
                "<tds:FirmwareVersion>1.2.3</tds:FirmwareVersion><tds:SerialNumber>0</tds:SerialNumber><tds:HardwareId>0</tds:HardwareId></tds:GetDeviceInformationResponse>")

    def media_address(self):
        return escape(self.s.get("media_xaddr", f"http://{self.host}/onvif/media"))

    def on_GetServices(self, _):
        if self.s.get("no_services"):
            return None
        spaces = [TDS, TRT] + ([TR2] if self.s.get("media2") else [])
        return "<tds:GetServicesResponse>" + "".join(
            f"<tds:Service><tds:Namespace>{space}</tds:Namespace><tds:XAddr>{self.media_address()}</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></tds:Version></tds:Service>"
            for space in spaces) + "</tds:GetServicesResponse>"

    def on_GetCapabilities(self, _):
        return (f"<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>{self.media_address()}</tt:XAddr>"
                "</tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>")

    def profiles(self):
        return self.s.get("profiles", [{"name": "main", "codec": "H264", "width": 1920, "height": 1080, "fps": 25, "uri": f"rtsp://{self.address}:554/main"},
                                       {"name": "sub", "codec": "H264", "width": 640, "height": 360, "fps": 12, "uri": f"rtsp://{self.address}:554/sub"}])

    def on_GetProfiles(self, request):
        second = TR2.encode() in request
        if second and not self.s.get("media2"):
            return None
        space = "tr2" if second else "trt"
        text = f"<{space}:GetProfilesResponse>"
        for i, p in enumerate(self.profiles()):
            encoder = (f"<tt:Encoding>{p['codec']}</tt:Encoding><tt:Resolution><tt:Width>{p['width']}</tt:Width><tt:Height>{p['height']}</tt:Height></tt:Resolution>"
                       f"<tt:RateControl><tt:FrameRateLimit>{p['fps']}</tt:FrameRateLimit><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>")
            name = f"<{'tr2:Name' if second else 'tt:Name'}>{escape(p['name'])}</{'tr2:Name' if second else 'tt:Name'}>"
            encoder = (f"<tr2:Configurations><tr2:VideoEncoder token='e{i}'><tt:Name>encoder</tt:Name>{encoder}</tr2:VideoEncoder></tr2:Configurations>" if second
                       else f"<tt:VideoEncoderConfiguration token='e{i}'><tt:Name>encoder</tt:Name>{encoder}</tt:VideoEncoderConfiguration>")
            text += f"<{space}:Profiles token='p{i}' fixed='true'>{name}{encoder}</{space}:Profiles>"
        return text + f"</{space}:GetProfilesResponse>"

    def on_GetStreamUri(self, request):
        second = TR2.encode() in request
        root = xml.fromstring(request)
        token = root.findtext(f".//{{{TR2 if second else TRT}}}ProfileToken")
        protocol = root.findtext(f".//{{{TR2}}}Protocol") if second else root.findtext(".//{http://www.onvif.org/ver10/schema}Protocol")
        if protocol != "RTSP":
            return None
        uri = escape(self.profiles()[int(token[1:])]["uri"].replace("ADDRESS", self.address))
        if second:
            return f"<tr2:GetStreamUriResponse><tr2:Uri>{uri}</tr2:Uri></tr2:GetStreamUriResponse>"
        return f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{uri}</tt:Uri><tt:Timeout>PT60S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>"


# A camera may name another one, as {address}, which becomes its host and port.
text = open(sys.argv[1]).read()
cameras = []
for settings in json.loads(text):
    for other in cameras:
        settings = {key: value.replace("{" + other.address + "}", other.host) if isinstance(value, str) else value for key, value in settings.items()}
    cameras.append(Camera(settings))
say("ready")
sys.stdin.read()
