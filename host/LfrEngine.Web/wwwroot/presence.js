// Tells the console where this phone is, again and again while the page is open. The console keeps only whether it is near enough.

const timers = new Map();

function tell(page, deployment) {
    if (!navigator.geolocation) {
        page.invokeMethodAsync("RefuseAsync", deployment);
        return;
    }
    navigator.geolocation.getCurrentPosition(
        ({ coords }) => page.invokeMethodAsync("TakeAsync", deployment, coords.latitude, coords.longitude, coords.accuracy),
        () => page.invokeMethodAsync("RefuseAsync", deployment),
        { enableHighAccuracy: true, timeout: 20000, maximumAge: 0 });
}

export function begin(page, deployment, everyMs) {
    end(deployment);
    tell(page, deployment);
    timers.set(deployment, setInterval(() => tell(page, deployment), everyMs));
}

export function end(deployment) {
    clearInterval(timers.get(deployment));
    timers.delete(deployment);
}

export function endAll() {
    for (const deployment of timers.keys())
        end(deployment);
}
