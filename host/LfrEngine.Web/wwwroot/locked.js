// The lock screen: alerts stay audible, and the page leaves when the session was unlocked in another tab, or has ended.
import { allowSounds, play, soundsWanted } from "./alerts.js";

const sounds = document.querySelector("[data-locked-sounds]");
if (sounds && soundsWanted(sounds.dataset.lockedSounds)) {
    const button = sounds.querySelector("button");
    const begin = () => allowSounds(true).then(plays => button.hidden = plays);
    button.addEventListener("click", begin);
    begin();
    const alerts = new EventSource("session/alerts");
    alerts.addEventListener("sound", event => play(event.data === "vulnerable"));
    alerts.addEventListener("error", () => alerts.readyState === EventSource.CLOSED && setTimeout(() => location.reload(), 2000));
}
document.addEventListener("visibilitychange", () => document.hidden || location.reload());
