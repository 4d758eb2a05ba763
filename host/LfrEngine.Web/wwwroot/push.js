// Notifications of this browser: turned on and off by the officer's own click, and told anew to each new session.

async function send(method, body) {
    const token = await (await fetch("/account/antiforgery")).json();
    const answer = await fetch("/session/push", { method, headers: { [token.header]: token.token, "Content-Type": "application/json" }, body });
    if (!answer.ok)
        throw new Error((await answer.json()).detail);
}

function tell(subscription) {
    const { endpoint, keys } = subscription.toJSON();
    return send("POST", JSON.stringify({ address: endpoint, key: keys.p256dh, secret: keys.auth }));
}

// Makes the button work. It stays hidden where the browser has no notifications, for example without a certificate that it trusts.
export async function begin(button) {
    const app = await navigator.serviceWorker?.getRegistration();
    if (!app?.pushManager || !("Notification" in window))
        return;
    const failed = document.getElementById("push-failed");
    const show = on => {
        button.setAttribute("aria-pressed", on);
        button.textContent = on ? button.dataset.on : button.dataset.off;
        button.hidden = false;
    };
    button.addEventListener("click", async () => {
        failed.textContent = "";
        try {
            const former = await app.pushManager.getSubscription();
            if (former) {
                await send("DELETE");
                await former.unsubscribe();
                show(false);
            } else if (await Notification.requestPermission() === "granted") {
                await tell(await app.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: button.dataset.key }));
                show(true);
            } else {
                failed.textContent = button.dataset.failed;
            }
        } catch (e) {
            failed.textContent = `${button.dataset.failed} ${e.message}`;
        }
    });
    const subscription = await app.pushManager.getSubscription();
    if (subscription)
        await tell(subscription).catch(e => failed.textContent = `${button.dataset.failed} ${e.message}`);
    show(subscription !== null && failed.textContent === "");
}
