// The server never sends the photo back: the browser shows its own file.
export function show(frame, input, index) {
    const file = document.getElementById(input)?.files?.[index];
    const image = frame.querySelector("img");
    if (!file || !image)
        return;
    const address = URL.createObjectURL(file);
    image.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
    image.src = address;
}
