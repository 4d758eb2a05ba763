// Live pictures: each image asks for its newest picture, one request at a time, while the page is in view.
const followed = new WeakSet();
const quickest = 200, patience = 1000;

export function follow() {
    for (const image of document.querySelectorAll('img[data-live]')) {
        if (!followed.has(image)) {
            followed.add(image);
            show(image);
        }
    }
}

async function show(image) {
    let shown = '';
    // A picture, or why there is none.
    const put = (url, why) => {
        if (url) image.src = url; else image.removeAttribute('src');
        if (shown) URL.revokeObjectURL(shown);
        shown = url;
        const words = image.parentElement?.querySelector('.live-why');
        if (words && words.textContent !== why) words.textContent = why;
    };
    while (image.isConnected) {
        const asked = performance.now();
        let wait = patience;
        if (!document.hidden) {
            try {
                const answer = await fetch(image.dataset.live, { cache: 'no-store' });
                if (answer.status === 200) {
                    put(URL.createObjectURL(await answer.blob()), '');
                    wait = quickest;
                } else {
                    put('', answer.status === 204 || answer.status === 404 ? image.dataset.none : image.dataset.failed);
                }
            } catch {
                put('', image.dataset.failed);
            }
        }
        await new Promise(done => setTimeout(done, Math.max(0, wait - (performance.now() - asked))));
    }
    put('', '');
}
