// Spectra, curves and notes on canvases, as wide as the screen has them, in its colours.

const DARK = [[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164]];
const LIGHT = [[250, 249, 246], [238, 221, 200], [232, 184, 148], [219, 137, 104], [188, 88, 84], [141, 50, 86], [86, 25, 80], [30, 10, 50]];
const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Set();

function redraw() {
    for (const draw of drawn) if (draw.canvas.isConnected) draw(); else drawn.delete(draw);
}
dark.addEventListener("change", redraw);
addEventListener("resize", redraw);

/** Have a canvas drawn now and whenever its size or the colours change. */
function keep(canvas, paint) {
    const draw = () => {
        const width = Math.round(canvas.clientWidth * devicePixelRatio);
        const height = Math.round(canvas.clientHeight * devicePixelRatio);
        if (!width || !height) return;
        canvas.width = width;
        canvas.height = height;
        paint(canvas.getContext("2d"), width, height);
    };
    draw.canvas = canvas;
    drawn.add(draw);
    new ResizeObserver(draw).observe(canvas);
    return draw;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function shades() {
    const stops = dark.matches ? DARK : LIGHT;
    const table = new Uint8ClampedArray(1024);
    for (let i = 0; i < 256; i++) {
        // -100 to -10 dB is where sounds are.
        const place = Math.min(1, Math.max(0, (i - 30) / 190)) * (stops.length - 1);
        const low = Math.min(stops.length - 2, Math.floor(place));
        for (let c = 0; c < 3; c++) {
            table[4 * i + c] = stops[low][c] + (place - low) * (stops[low + 1][c] - stops[low][c]);
        }
        table[4 * i + 3] = 255;
    }
    return table;
}

/**
 * Draw a spectrum: `columns` times `rows` bytes; and where it is played.
 * Returns what draws another one in its place.
 */
export function spectrum(canvas, shown, bytes, audio) {
    let image = null;
    let inDark = null;
    const draw = keep(canvas, (paper, width, height) => {
        if (image === null || inDark !== dark.matches) {
            inDark = dark.matches;
            const table = shades();
            const { columns, rows } = shown;
            const pixels = new ImageData(columns, rows);
            for (let x = 0; x < columns; x++) {
                for (let y = 0; y < rows; y++) {
                    const at = 4 * ((rows - 1 - y) * columns + x);
                    pixels.data.set(table.subarray(4 * bytes[x * rows + y], 4 * bytes[x * rows + y] + 4), at);
                }
            }
            image = document.createElement("canvas");
            image.width = columns;
            image.height = rows;
            image.getContext("2d").putImageData(pixels, 0, 0);
        }
        paper.imageSmoothingEnabled = true;
        paper.drawImage(image, 0, 0, width, height);
        for (const hz of [100, 300, 1000, 3000, 10000]) {
            if (hz <= shown.low_hz || hz >= shown.high_hz * 0.9) continue;
            const y = height * (1 - Math.log(hz / shown.low_hz) / Math.log(shown.high_hz / shown.low_hz));
            caption(paper, hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`, y);
        }
        if (audio.currentTime > 0) line(paper, audio.currentTime / shown.seconds, width, height);
    });
    follow(canvas, audio, () => shown.seconds, draw);
    return (next, nextBytes) => {
        [shown, bytes, image] = [next, nextBytes, null];
        draw();
    };
}

/** A few letters at the left side, readable on whatever is behind them. */
function caption(paper, words, y) {
    const letters = 11 * devicePixelRatio;
    paper.font = `${letters}px system-ui`;
    paper.globalAlpha = 0.7;
    paper.fillStyle = colour("--panel");
    paper.fillRect(0, y - 0.65 * letters, paper.measureText(words).width + 0.8 * letters, 1.3 * letters);
    paper.globalAlpha = 1;
    paper.fillStyle = colour("--ink");
    paper.fillText(words, 0.4 * letters, y + 0.35 * letters);
}

function line(paper, share, width, height) {
    paper.fillStyle = colour("--accent");
    paper.fillRect(Math.round(share * width) - 1, 0, 2 * devicePixelRatio, height);
}

function follow(canvas, audio, seconds, draw) {
    let running = false;
    const step = () => {
        draw();
        if (audio.paused || !canvas.isConnected) running = false;
        else requestAnimationFrame(step);
    };
    audio.addEventListener("play", () => { if (!running) { running = true; step(); } });
    audio.addEventListener("seeked", draw);
    canvas.addEventListener("click", (event) => {
        audio.currentTime = seconds() * event.offsetX / canvas.clientWidth;
    });
}

const FEW = 40;

/** Draw curves over each other: lists of numbers, null for gaps, in colours of the page; of few, each with its point. */
export function curves(canvas, lines, scale, label) {
    keep(canvas, (paper, width, height) => {
        const values = lines.flatMap(({ values }) => values.filter((value) => value !== null).map(scale));
        if (!values.length) return;
        const sorted = values.toSorted((a, b) => a - b);
        let low = sorted[Math.floor(sorted.length * 0.02)], high = sorted[Math.floor(sorted.length * 0.98)];
        const margin = Math.max((high - low) * 0.12, 0.5);
        low -= margin;
        high += margin;
        const y = (value) => height * (1 - (scale(value) - low) / (high - low));
        for (const share of [0.15, 0.85]) {
            const at = low + share * (high - low);
            paper.fillStyle = colour("--line");
            paper.fillRect(0, height * (1 - share), width, 1);
            caption(paper, label(at), height * (1 - share));
        }
        for (const { values, ink, wide, points } of lines) {
            paper.strokeStyle = colour(ink);
            paper.lineWidth = (wide ? 4.5 : 1.6) * devicePixelRatio;
            paper.beginPath();
            let pen = false;
            values.forEach((value, i) => {
                const x = width * (i + 0.5) / values.length;
                if (value === null) pen = false;
                else if (pen) paper.lineTo(x, y(value));
                else {
                    paper.moveTo(x, y(value));
                    paper.lineTo(x + 1, y(value));
                    pen = true;
                }
            });
            paper.stroke();
            if (!points || values.length > FEW) continue;
            paper.fillStyle = colour(ink);
            values.forEach((value, i) => {
                paper.beginPath();
                paper.arc(width * (i + 0.5) / values.length, y(value), (wide ? 5 : 3) * devicePixelRatio, 0, 2 * Math.PI);
                paper.fill();
            });
        }
    });
}

const HUES = [18, 210, 140, 45, 280, 330, 175, 80];

/** Draw notes as bars. */
export function score(canvas, shown) {
    keep(canvas, (paper, width, height) => {
        if (!shown.notes.length) return;
        const pitches = shown.notes.map((note) => note[2]);
        const low = Math.min(...pitches) - 2, high = Math.max(...pitches) + 2;
        const thick = Math.max(2, Math.min(9 * devicePixelRatio, height / (high - low)));
        for (const [onset, end, pitch, part] of shown.notes) {
            paper.fillStyle = `hsl(${HUES[part % HUES.length]} 60% ${dark.matches ? 65 : 42}%)`;
            const x = width * onset / shown.seconds;
            paper.fillRect(x, height * (1 - (pitch - low) / (high - low)) - thick / 2,
                Math.max(2, width * (end - onset) / shown.seconds - 1), thick);
        }
    });
    return shown.parts.map((name, i) => ({ name: name || "notes", ink: `hsl(${HUES[i % HUES.length]} 60% 50%)` }));
}

const NAMES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

/** A MIDI number as the name of its note. */
export function noteName(midi) {
    const nearest = Math.round(midi);
    return `${NAMES[((nearest % 12) + 12) % 12]}${Math.floor(nearest / 12) - 1}`;
}
