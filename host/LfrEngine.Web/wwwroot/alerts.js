// Sounds and keys of the pages of alerts. Nothing is decided here: keys are handed to the page, which asks the server.

let sounds = null;

// Browsers stay silent until somebody has clicked; so does this, until the officer has asked for sounds.
export function allowSounds(wanted) {
    if (!wanted) {
        sounds?.close();
        sounds = null;
        return;
    }
    sounds ??= new AudioContext();
    sounds.resume();
}

// Two beeps of one height; for vulnerable people three soft tones that rise.
export function play(vulnerable) {
    if (!sounds) {
        return;
    }
    const tones = vulnerable ? [523, 659, 784] : [880, 880];
    const length = vulnerable ? 0.22 : 0.1;
    let at = sounds.currentTime + 0.02;
    for (const tone of tones) {
        const oscillator = sounds.createOscillator(), volume = sounds.createGain();
        oscillator.type = vulnerable ? "sine" : "square";
        oscillator.frequency.value = tone;
        volume.gain.setValueAtTime(0, at);
        volume.gain.linearRampToValueAtTime(vulnerable ? 0.5 : 0.2, at + 0.02);
        volume.gain.linearRampToValueAtTime(0, at + length);
        oscillator.connect(volume).connect(sounds.destination);
        oscillator.start(at);
        oscillator.stop(at + length);
        at += length + 0.06;
    }
    document.documentElement.dataset.lastSound = vulnerable ? "vulnerable" : "alert";
}

// Hands single keys to the page, but for those that are typed into a field or belong to the browser.
export function listen(page, keys) {
    const hear = event => {
        const inField = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
        const key = event.key.toLowerCase();
        if (!inField && !event.ctrlKey && !event.altKey && !event.metaKey && !event.repeat && keys.includes(key)) {
            event.preventDefault();
            page.invokeMethodAsync("KeyAsync", key);
        }
    };
    document.addEventListener("keydown", hear);
    return { stop: () => document.removeEventListener("keydown", hear) };
}
