"use strict";

// Blazor writes style attributes with setAttribute, which the content security policy (no inline styles) refuses. Set through the object model they are
// allowed, and only scripts of this server can do that: style attributes in injected markup are still refused.
const setAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
    if (name === "style" && this.style)
        this.style.cssText = value;
    else
        setAttribute.call(this, name, value);
};

// Light or dark: follows the system until the officer chooses.
const chosen = localStorage.getItem("lfr-theme");
if (chosen === "light" || chosen === "dark")
    document.documentElement.dataset.theme = chosen;

document.addEventListener("click", event => {
    const at = event.target instanceof Element ? event.target : null;
    if (at?.closest("[data-theme-toggle]")) {
        const now = document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
        const next = now === "dark" ? "light" : "dark";
        document.documentElement.dataset.theme = next;
        localStorage.setItem("lfr-theme", next);
    }
    // Of the whole document, so that banners and the message of a lost connection are still seen.
    if (at?.closest("[data-fullscreen]"))
        (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()).catch(() => { });
    // With a base address, "#content" alone would be another page.
    if (at?.closest(".skip-link")) {
        event.preventDefault();
        event.stopPropagation();
        document.getElementById("content")?.focus();
    }
}, true);

// Shows the server that somebody is there, so that the session is not locked: at most once in data-pulse seconds.
let pulse = 0, token = null;
async function showActivity() {
    const seconds = Number(document.documentElement.dataset.pulse);
    if (!seconds || performance.now() - pulse < seconds * 1000 && pulse > 0)
        return;
    pulse = performance.now();
    token ??= await (await fetch("account/antiforgery")).json();
    const answer = await fetch("session/active", { method: "POST", headers: { [token.header]: token.token } });
    if (answer.status === 401 || answer.status === 403)
        location.reload();
}
for (const sign of ["pointerdown", "keydown", "wheel", "touchstart"])
    document.addEventListener(sign, () => showActivity().catch(() => { }), { capture: true, passive: true });

// The connection has failed, or the server has restarted and no longer knows this page.
document.addEventListener("DOMContentLoaded", () => {
    const modal = document.getElementById("components-reconnect-modal");
    modal?.addEventListener("components-reconnect-state-changed", event => {
        if (event.detail.state === "rejected")
            location.reload();
        // A session that has ended or is locked opens no connection any more, and would be tried for again and again: the server leads to the sign-in or to the lock screen.
        else if (event.detail.state === "show" || event.detail.state === "retrying")
            fetch("/", { redirect: "manual", cache: "no-store" }).then(answer => answer.type === "opaqueredirect" && location.reload(), () => { });
        else if (event.detail.state === "failed")
            setInterval(() => fetch("theme.css").then(answer => answer.ok && location.reload(), () => { }), 3000);
    });
});

// Installable, and with words when there is no connection. A browser that does not trust the certificate refuses, and the console works as before.
navigator.serviceWorker?.register("/sw.js").catch(() => { });
