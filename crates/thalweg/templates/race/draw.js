"use strict";
// Drawing on canvases in the page's own colours: axes, lines, the landscape.

const theme = matchMedia("(prefers-color-scheme: dark)"), colours = new Map();
const isDark = () => theme.matches;
theme.addEventListener("change", () => colours.clear());
function css(name) {
  if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return colours.get(name);
}
const FONT = "13px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

// Makes a canvas as sharp as the screen; returns its context with CSS pixels as units, and its size.
function sheet(canvas, ratio, least) {
  const width = canvas.parentElement.clientWidth;
  const height = Math.max(least, Math.round(width * ratio));
  const dense = Math.min(3, devicePixelRatio || 1);
  if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
    canvas.style.height = height + "px";
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = FONT;
  return { pen, width, height, dense };
}

// What does not change from step to step is painted once, on a sheet of its own, for as long as the key stays the same.
const layers = new Map();
function layer(s, name, key, paint) {
  const full = [key, s.width, s.height, s.dense, isDark()].join();
  let kept = layers.get(name);
  if (!kept || kept.full !== full) {
    const canvas = document.createElement("canvas");
    canvas.width = s.width * s.dense;
    canvas.height = s.height * s.dense;
    const pen = canvas.getContext("2d");
    pen.scale(s.dense, s.dense);
    pen.font = FONT;
    paint({ ...s, pen });
    layers.set(name, (kept = { full, canvas }));
  }
  s.pen.drawImage(kept.canvas, 0, 0, s.width, s.height);
}

// Round numbers between two ends: 1, 2 or 5 times a power of ten apart.
function ticks(low, high, about) {
  const raw = (high - low) / Math.max(1, about), power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= raw * 0.999);
  const list = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) list.push(k * step);
  return list;
}

// Whole decades between two ends, thinned to about as many as asked for.
function decades(low, high, about) {
  const every = Math.max(1, Math.ceil((high - low) / Math.max(1, about)));
  const list = [];
  for (let k = Math.ceil(low - 1e-9); k <= high + 1e-9; k++) if (k % every === 0) list.push(k);
  return list;
}

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
function power(k) {
  if (k >= -3 && k <= 4) return String(Number((10 ** k).toPrecision(1)));
  return "10" + [...String(k)].map(c => RAISED[c]).join("");
}
const plain = v => String(Number(v.toPrecision(6))).replace("-", "−");

// A frame with ticks and titles. `x` and `y` map values to pixels; each axis gives its ticks as [value, text].
function axes(s, box, x, y, xTicks, yTicks, xTitle, yTitle, grid) {
  const { pen } = s;
  pen.lineWidth = 1;
  pen.strokeStyle = css("--grid");
  pen.fillStyle = css("--ink");
  pen.textBaseline = "top";
  pen.textAlign = "center";
  let free = -1e9;
  for (const [value, text] of xTicks) {
    const at = x(value), half = pen.measureText(text).width / 2;
    if (grid) stroke(pen, [[at, box.top], [at, box.bottom]]);
    else stroke(pen, [[at, box.bottom], [at, box.bottom + 4]]);
    if (at - half < free || at + half > s.width) continue;
    pen.fillText(text, at, box.bottom + 6);
    free = at + half + 8;
  }
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const [value, text] of yTicks) {
    const at = y(value);
    if (grid) stroke(pen, [[box.left, at], [box.right, at]]);
    else stroke(pen, [[box.left - 4, at], [box.left, at]]);
    pen.fillText(text, box.left - 7, at);
  }
  pen.fillStyle = css("--soft");
  pen.textAlign = "center";
  pen.textBaseline = "bottom";
  pen.fillText(xTitle, (box.left + box.right) / 2, s.height - 1);
  if (yTitle) {
    pen.save();
    pen.translate(1, (box.top + box.bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textBaseline = "top";
    pen.fillText(yTitle, 0, 0);
    pen.restore();
  }
  pen.strokeStyle = css("--line");
  pen.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
}

function stroke(pen, points) {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
}

// A line with gaps where a point is null.
function curve(pen, points) {
  pen.beginPath();
  let down = false;
  for (const p of points) {
    if (!p) { down = false; continue; }
    if (down) pen.lineTo(p[0], p[1]); else pen.moveTo(p[0], p[1]);
    down = true;
  }
  pen.stroke();
}

function ink(pen, look, width) {
  pen.strokeStyle = look.color;
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.setLineDash(look.dashes ? look.dashes.split(" ").map(Number) : []);
}

function marker(pen, look, x, y, scale) {
  pen.save();
  pen.translate(x, y);
  pen.scale(scale, scale);
  pen.setLineDash([]);
  pen.lineWidth = 2.5;
  pen.strokeStyle = css("--page");
  const shape = new Path2D(look.marker);
  pen.stroke(shape);
  pen.fillStyle = look.color;
  pen.fill(shape);
  pen.restore();
}

function inside(pen, box) {
  pen.beginPath();
  pen.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.clip();
}

// The shading: a small picture that the browser enlarges smoothly.
function shade(course) {
  const side = Math.sqrt(course.shades.length), small = document.createElement("canvas");
  small.width = small.height = side;
  const pen = small.getContext("2d"), image = pen.createImageData(side, side), dark = isDark();
  course.shades.forEach((shade, i) => {
    const low = 1 - shade / 255;
    const colour = dark ? [90, 150, 215, 25 + 95 * low] : [40, 95, 160, 8 + 92 * low];
    image.data.set(colour, 4 * i);
  });
  pen.putImageData(image, 0, 0);
  return small;
}
