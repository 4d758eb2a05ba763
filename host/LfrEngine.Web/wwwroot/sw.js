"use strict";

// The console as an app: without a connection it says so. Nothing else is kept on the device: no page, no picture, no answer.
const kept = "offline-1", parts = ["/offline.html", "/offline.css", "/offline.js", "/icon.svg"];

self.addEventListener("install", event => {
    self.skipWaiting();
    event.waitUntil(caches.open(kept).then(cache => cache.addAll(parts)));
});

self.addEventListener("activate", event => event.waitUntil((async () => {
    for (const name of await caches.keys())
        if (name !== kept)
            await caches.delete(name);
    await self.clients.claim();
})()));

// An alert, without anything about it. The console shows the rest, to whoever is signed in.
self.addEventListener("push", event => {
    const told = event.data.json();
    event.waitUntil(self.registration.showNotification(told.title, {
        tag: "alert", renotify: true, requireInteraction: true, icon: "/icon.svg", vibrate: told.vulnerable ? [900] : [250, 150, 250], data: told.page,
    }));
});

self.addEventListener("notificationclick", event => {
    event.notification.close();
    const page = new URL(event.notification.data, self.location.origin).href;
    event.waitUntil((async () => {
        const open = (await self.clients.matchAll({ type: "window" })).find(c => c.url.startsWith(page));
        return open ? open.focus() : self.clients.openWindow(page);
    })());
});

self.addEventListener("fetch", event => {
    if (event.request.mode === "navigate")
        event.respondWith(fetch(event.request).catch(() => caches.match("/offline.html")));
    else if (parts.includes(new URL(event.request.url).pathname))
        event.respondWith(fetch(event.request).catch(() => caches.match(event.request, { ignoreSearch: true })));
});
