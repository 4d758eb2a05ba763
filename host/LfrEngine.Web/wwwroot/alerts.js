// Sounds and keys of the alert pages. Keys are passed to the page, which asks the server.

let sounds = null;

// Whether this officer has turned sounds on, in this browser.
export function soundsWanted(officer) {
    return localStorage.getItem("lfr-sounds " + officer) === "on";
}

// Remembers an officer's choice.
export function rememberSounds(officer, wanted) {
    localStorage.setItem("lfr-sounds " + officer, wanted ? "on" : "off");
}

// Browsers allow sound only after a click in this site. Whether it plays now.
export async function allowSounds(wanted) {
    if (!wanted) {
        sounds?.close();
        sounds = null;
        return false;
    }
    sounds ??= new AudioContext();
    sounds.resume();
    await new Promise(done => setTimeout(done, 100));
    return sounds.state === "running";
}

// Two beeps of the same pitch; for vulnerable people three soft rising tones. On the phone's page it vibrates too: two short, or one long.
export function play(vulnerable) {
    if (location.pathname.endsWith("/alerts/street")) {
        navigator.vibrate?.(vulnerable ? [900] : [250, 150, 250]);
    }
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

// Passes single keys to the page, except those typed into a field or used by the browser.
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

// Both sounds, one after the other, for the officer to know them and the volume.
export async function testSounds() {
    const was = sounds;
    await allowSounds(true);
    play(false);
    setTimeout(() => {
        play(true);
        if (!was)
            setTimeout(() => allowSounds(false), 1500);
    }, 700);
}

// How many alerts wait, in the tab's title, which each page sets anew.
let waiting = 0;
function entitle() {
    const plain = document.title.replace(/^\(\d+\) /, ""), wanted = waiting ? `(${waiting}) ${plain}` : plain;
    if (document.title !== wanted)
        document.title = wanted;
}
export function showWaiting(count) {
    waiting = count;
    entitle();
}
new MutationObserver(entitle).observe(document.head, { childList: true, subtree: true, characterData: true });
