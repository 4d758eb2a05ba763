// The corners of a zone over a camera's picture: by pointer and by keyboard. The server keeps them; places are in percent of the picture.
const step = 1, leap = 5;
const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export async function show(image, picture) {
    const address = URL.createObjectURL(new Blob([await picture.arrayBuffer()], { type: 'image/jpeg' }));
    image.addEventListener('load', () => URL.revokeObjectURL(address), { once: true });
    image.src = address;
}

export function edit(frame, page) {
    const place = e => {
        const box = frame.getBoundingClientRect();
        return [100 * (e.clientX - box.left) / box.width, 100 * (e.clientY - box.top) / box.height];
    };
    frame.addEventListener('pointerdown', e => {
        const corner = e.target.closest('[data-corner]');
        if (!corner) {
            if (frame.querySelector('[data-corner]'))
                page.invokeMethodAsync('AddAt', ...place(e));
            return;
        }
        corner.setPointerCapture(e.pointerId);
        // One message at a time: the latest place is what counts.
        let busy = false, next = null;
        const send = async () => {
            busy = true;
            while (next) {
                const to = next;
                next = null;
                await page.invokeMethodAsync('MoveTo', +corner.dataset.corner, ...to);
            }
            busy = false;
        };
        const move = m => { next = place(m); if (!busy) send(); };
        corner.addEventListener('pointermove', move);
        corner.addEventListener('lostpointercapture', () => corner.removeEventListener('pointermove', move), { once: true });
    });
    frame.addEventListener('keydown', e => {
        const corner = e.target.closest('[data-corner]');
        if (!corner)
            return;
        if (keys[e.key]) {
            const by = e.shiftKey ? leap : step;
            page.invokeMethodAsync('MoveBy', +corner.dataset.corner, keys[e.key][0] * by, keys[e.key][1] * by);
            e.preventDefault();
        } else if (e.key === 'Delete') {
            page.invokeMethodAsync('RemoveCorner', +corner.dataset.corner);
            e.preventDefault();
        }
    });
}
