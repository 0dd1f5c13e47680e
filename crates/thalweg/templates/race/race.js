
// The race: what is shown, the player, and the four canvases.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const UNITS = 10000, by = id => document.getElementById(id);

  // Sequences are written as differences; "x" is what cannot be drawn.
  const sums = text => {
    let sum = 0;
    return text === "" ? [] : text.split(" ").map(part => (part === "x" ? null : (sum += Number(part))));
  };
  const pairs = text => {
    const parts = text === "" ? [] : text.split(" ").map(Number), points = [];
    for (let i = 0, x = 0, y = 0; i + 1 < parts.length; i += 2) points.push([(x += parts[i]), (y += parts[i + 1])]);
    return points;
  };
  // Hundredths of a decade to decades.
  const logs = text => sums(text).map(v => (v === null ? null : v / 100));
  const frames = sums(data.frames), rates = logs(data.rates), last = frames.length - 1;
  function unpack(course) {
    if (course.ready) return course;
    course.levels = course.levels.map(lines => lines.map(pairs));
    course.start = pairs(course.start)[0];
    course.marks.forEach(mark => { mark.at = pairs(mark.at)[0]; });
    for (const walker of course.walkers) {
      walker.tried = logs(walker.tried);
      walker.legs.forEach(leg => { leg.path = pairs(leg.path); leg.gaps = logs(leg.gaps); leg.effective = logs(leg.effective); });
    }
    course.ready = true;
    return course;
  }

  const state = { course: 0, view: "1", method: 0, frame: last, playing: false, lit: null };
  const shown = new Set([...document.querySelectorAll("#legend [data-method]")]
    .filter(b => b.getAttribute("aria-pressed") === "true").map(b => Number(b.dataset.method)));
  const course = () => unpack(data.courses[state.course]);

  // A rate too small, the chosen one and one too large look like three methods.
  const THREE = [["a tenth", 1], ["chosen", 0], ["ten times", 2]];
  function lines() {
    const walkers = course().walkers;
    if (state.view === "one") {
      return walkers[state.method].legs.map((leg, i) =>
        ({ leg, look: { ...data.methods[THREE[i][1] % data.methods.length], ...PLAIN[i] }, name: THREE[i][0], faint: false }));
    }
    return walkers.map((walker, i) => ({ leg: walker.legs[Number(state.view)], look: data.methods[i], i }))
      .filter(line => shown.has(line.i))
      .map(line => ({ ...line, faint: state.lit !== null && state.lit !== line.i && shown.has(state.lit) }));
  }
  const PLAIN = [
    { color: "#a88200", dashes: "6 4", marker: "M0,-5L5,4H-5z" },
    { color: "#0072b2", dashes: "", marker: "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z" },
    { color: "#d55e00", dashes: "2 3", marker: "M-4,-4h8v8h-8z" },
  ];

  // What decides the look of the lines, apart from the step.
  const key = () => [state.course, state.view, state.method, state.lit, [...shown].sort()].join();

  function landscape(s, box, map) {
    const c = course(), { pen } = s;
    pen.save();
    inside(pen, box);
    pen.imageSmoothingEnabled = true;
    pen.imageSmoothingQuality = "high";
    // Nodes of the shading lie on the rim, not half a node inside of it.
    const side = Math.sqrt(c.shades.length), w = (box.right - box.left) / (side - 1), h = (box.bottom - box.top) / (side - 1);
    pen.drawImage(shade(c), box.left - w / 2, box.top - h / 2, w * side, h * side);
    pen.lineWidth = 1;
    pen.strokeStyle = isDark() ? "rgba(170, 195, 225, 0.38)" : "rgba(50, 80, 120, 0.36)";
    c.levels.forEach(level => level.forEach(line => stroke(pen, line.map(map))));
    pen.restore();
    const value = range => u => range[0] + (range[1] - range[0]) * u / UNITS;
    const unit = (range, v) => UNITS * (v - range[0]) / (range[1] - range[0]);
    const wide = s.width < 480 ? 5 : 9;
    const tick = range => ticks(range[0], range[1], wide).map(v => [unit(range, v), plain(v)]);
    axes(s, box, u => map([u, 0])[0], u => map([0, u])[1], tick(c.x), tick(c.y), "x", "y", false);
    pen.save();
    inside(pen, { left: box.left - 6, right: box.right + 6, top: box.top - 6, bottom: box.bottom + 6 });
    for (const mark of c.marks) landmark(pen, mark.kind, map(mark.at));
    const [x, y] = map(c.start);
    pen.lineWidth = 2;
    pen.strokeStyle = css("--ink");
    pen.beginPath();
    pen.arc(x, y, 6.5, 0, 7);
    pen.stroke();
    pen.restore();
  }
  const STAR = "M0,-8L1.9,-2.6H7.6L3,1L4.7,6.5L0,3.1L-4.7,6.5L-3,1L-7.6,-2.6H-1.9z";
  function landmark(pen, kind, [x, y]) {
    pen.save();
    pen.translate(x, y);
    pen.lineWidth = 1.6;
    pen.strokeStyle = pen.fillStyle = css("--ink");
    if (kind === "lowest") pen.fill(new Path2D(STAR));
    else if (kind === "minimum") pen.stroke(new Path2D(STAR));
    else pen.stroke(new Path2D("M-4,-4L4,4M-4,4L4,-4"));
    pen.restore();
  }

  function picture() {
    const c = course(), aspect = (c.y[1] - c.y[0]) / (c.x[1] - c.x[0]);
    const canvas = by("picture"), s = sheet(canvas, Math.min(1, Math.max(0.4, aspect)), 300), { pen } = s;
    const box = { left: 46, right: s.width - 10, top: 8, bottom: s.height - 42 };
    const map = ([u, v]) => [
      box.left + (box.right - box.left) * u / UNITS, box.bottom - (box.bottom - box.top) * v / UNITS];
    const all = lines(), width = all.length > 10 ? 1.5 : 2.2;
    const paths = all.map(({ leg }) => leg.path.map(map));
    layer(s, "ground", state.course, t => landscape(t, box, map));
    layer(s, "ghosts", key(), ({ pen: ghost }) => {
      inside(ghost, box);
      ghost.globalAlpha = 0.14;
      all.forEach(({ look }, i) => { ink(ghost, look, width); stroke(ghost, paths[i]); });
    });
    pen.save();
    inside(pen, box);
    all.forEach(({ look, faint }, i) => {
      ink(pen, look, width);
      pen.globalAlpha = faint ? 0.12 : 0.95;
      stroke(pen, paths[i].slice(0, state.frame + 1));
    });
    for (const { leg, look, faint } of all) {
      const at = map(leg.path[Math.min(state.frame, leg.path.length - 1)]);
      pen.globalAlpha = faint ? 0.2 : 1;
      marker(pen, look, at[0], at[1], 1.25);
    }
    pen.restore();
    pen.globalAlpha = 1;
    canvas.dataset.step = frames[state.frame];
  }

  const range = lists => {
    let low = Infinity, high = -Infinity;
    for (const list of lists) for (const v of list) if (v !== null) { low = Math.min(low, v); high = Math.max(high, v); }
    return low <= high ? [low, high] : [-1, 1];
  };
  // Steps on a logarithmic axis that begins at 0.
  const late = step => Math.log10(step + 1);

  function chart(id, pick, floor, title, line) {
    const s = sheet(by(id), 0.56, 215), { pen } = s;
    const box = { left: 66, right: s.width - 10, top: 8, bottom: s.height - 44 };
    const all = lines(), [lowest, highest] = range(all.map(l => pick(l.leg)).concat(line === undefined ? [] : [[line]]));
    const low = Math.floor(Math.max(lowest, floor)), high = Math.max(low + 1, Math.ceil(highest));
    const x = step => box.left + (box.right - box.left) * late(step) / late(frames[last]);
    const y = v => box.bottom - (box.bottom - box.top) * (v - low) / (high - low);
    const steps = [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000].filter(t => t <= frames[last]);
    const curves = all.map(({ leg }) => pick(leg).map((v, i) => v === null ? null : [x(frames[i]), y(v)]));
    layer(s, id, key(), t => {
      axes(t, box, x, y, steps.map(t => [t, String(t)]), decades(low, high, 6).map(k => [k, power(k)]), "step", title, true);
      inside(t.pen, box);
      if (line !== undefined) {
        ink(t.pen, { color: css("--soft"), dashes: "5 5" }, 1.2);
        stroke(t.pen, [[box.left, y(line)], [box.right, y(line)]]);
      }
      all.forEach(({ look, faint }, i) => {
        ink(t.pen, look, all.length > 10 ? 1.3 : 1.8);
        t.pen.globalAlpha = faint ? 0.12 : 0.95;
        curve(t.pen, curves[i]);
      });
    });
    pen.save();
    inside(pen, box);
    all.forEach(({ look, faint }, i) => {
      const now = curves[i][Math.min(state.frame, curves[i].length - 1)];
      pen.globalAlpha = faint ? 0.12 : 0.95;
      if (now) marker(pen, look, now[0], Math.min(now[1], box.bottom), 0.9);
    });
    pen.globalAlpha = 1;
    ink(pen, { color: css("--ink"), dashes: "" }, 1);
    stroke(pen, [[x(frames[state.frame]), box.top], [x(frames[state.frame]), box.bottom]]);
    pen.restore();
  }

  function tried() {
    if (!by("tried")) return;
    const s = sheet(by("tried"), 0.56, 215), { pen } = s, c = course();
    const box = { left: 66, right: s.width - 10, top: 8, bottom: s.height - 44 };
    const one = state.view === "one";
    const all = c.walkers.map((walker, i) => ({ walker, i, look: data.methods[i] }))
      .filter(({ i }) => (one ? i === state.method : shown.has(i)));
    const [lowest, highest] = range(all.map(({ walker }) => walker.tried));
    const low = Math.floor(Math.max(lowest, -12)), high = Math.max(low + 1, Math.ceil(highest + 0.4));
    const first = rates[0], end = rates[rates.length - 1];
    const x = v => box.left + 8 + (box.right - box.left - 16) * (v - first) / (end - first || 1);
    const y = v => v === null ? box.top + 4 : Math.min(box.bottom - 3, box.bottom - (box.bottom - box.top) * (v - low) / (high - low));
    axes(s, box, x, y, decades(first, end, 6).map(k => [k, power(k)]), decades(low, high, 6).map(k => [k, power(k)]), "learning rate", "f − lowest", true);
    pen.save();
    inside(pen, box);
    for (const { walker, look, i } of all) {
      pen.globalAlpha = state.lit !== null && !one && shown.has(state.lit) && state.lit !== i ? 0.12 : 0.95;
      ink(pen, look, all.length > 10 ? 1.3 : 1.8);
      curve(pen, walker.tried.map((v, k) => [x(rates[k]), y(v)]));
      const at = walker.legs[1].at / 100, k = rates.findIndex(rate => Math.abs(rate - at) < 0.011);
      if (k >= 0) marker(pen, look, x(rates[k]), y(walker.tried[k]), 1.1);
    }
    pen.restore();
  }

  function draw() {
    picture();
    chart("gaps", leg => leg.gaps, -12, "f − lowest", course().tolerance / 100);
    chart("effective", leg => leg.effective, -12, "|ΔW| / |g|");
    const diverged = lines().filter(({ leg }) => leg.diverged !== null && leg.diverged <= frames[state.frame]).length;
    by("step").textContent = `step ${frames[state.frame]} of ${frames[last]}` + (diverged ? `, ${diverged} diverged` : "");
  }
  let pending = false;
  const later = () => {
    if (!pending) { pending = true; requestAnimationFrame(() => { pending = false; draw(); }); }
  };
  const whole = () => { later(); tried(); };

  // The player.
  let clock = 0, carry = 0;
  function tick(now) {
    if (!state.playing) return;
    carry += Math.min(0.25, (now - clock) / 1000) * Number(by("speed").value);
    clock = now;
    const jump = Math.floor(carry);
    if (jump > 0) { carry -= jump; seek(state.frame + jump); }
    if (state.frame >= last) play(false); else requestAnimationFrame(tick);
  }
  function seek(frame) {
    state.frame = Math.max(0, Math.min(last, frame));
    by("scrub").value = state.frame;
    by("scrub").setAttribute("aria-valuetext", `step ${frames[state.frame]}`);
    later();
  }
  function play(on) {
    state.playing = on;
    by("play").textContent = on ? "❚❚" : "▶";
    by("play").setAttribute("aria-label", on ? "Pause" : "Play");
    if (!on) return;
    if (state.frame >= last) seek(0);
    carry = 0;
    clock = performance.now();
    requestAnimationFrame(tick);
  }
  by("scrub").max = last;
  by("scrub").addEventListener("input", () => { play(false); seek(Number(by("scrub").value)); });
  by("play").addEventListener("click", () => play(!state.playing));
  addEventListener("keydown", event => {
    const busy = event.target.closest("button, select, input, summary, a");
    if (event.ctrlKey || event.metaKey || event.altKey || busy) return;
    if (event.key === " ") { event.preventDefault(); play(!state.playing); }
    if (event.key === "ArrowRight") { play(false); seek(state.frame + 1); }
    if (event.key === "ArrowLeft") { play(false); seek(state.frame - 1); }
  });

  // What is shown.
  function choose(index) {
    state.course = index;
    if (by("function")) by("function").value = String(index);
    document.querySelectorAll("section.function").forEach(section => {
      section.hidden = Number(section.dataset.function) !== index;
    });
    whole();
  }
  function view() {
    state.view = by("view").value;
    state.method = Number(by("method").value);
    const one = state.view === "one";
    by("which").hidden = by("three").hidden = !one;
    by("legend").hidden = one;
    if (by("hidden-note")) by("hidden-note").hidden = one;
    if (one) three();
    whole();
  }
  function three() {
    by("three").replaceChildren(...lines().map(({ leg, look, name }) => {
      const item = document.createElement("span"), swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const part = (kind, values) => {
        const element = document.createElementNS("http://www.w3.org/2000/svg", kind);
        for (const [key, value] of Object.entries(values)) element.setAttribute(key, value);
        swatch.append(element);
      };
      for (const [key, value] of Object.entries({ width: 34, height: 14, viewBox: "-17 -7 34 14", "aria-hidden": true })) swatch.setAttribute(key, value);
      part("line", { x1: -17, x2: 17, y1: 0, y2: 0, stroke: look.color, "stroke-width": 2, "stroke-dasharray": look.dashes });
      part("path", { d: look.marker, fill: look.color });
      const end = leg.diverged !== null ? `diverges at step ${leg.diverged}`
        : leg.settled !== null ? `settles after ${leg.settled} steps` : "does not settle";
      item.append(swatch, `${name}: ${leg.rate}, ${end}`);
      return item;
    }));
  }
  const press = (button, on) => {
    const method = Number(button.dataset.method);
    button.setAttribute("aria-pressed", String(on));
    if (on) shown.add(method); else shown.delete(method);
  };
  const buttons = [...document.querySelectorAll("#legend [data-method]")];
  for (const button of buttons) {
    const light = on => () => { state.lit = on ? Number(button.dataset.method) : null; whole(); };
    button.addEventListener("click", () => { press(button, button.getAttribute("aria-pressed") !== "true"); whole(); });
    button.addEventListener("pointerenter", event => { if (event.pointerType === "mouse") light(true)(); });
    button.addEventListener("pointerleave", light(false));
    button.addEventListener("focus", () => { if (button.matches(":focus-visible")) light(true)(); });
    button.addEventListener("blur", light(false));
  }
  for (const [id, on] of [["all", true], ["none", false]]) {
    if (by(id)) by(id).addEventListener("click", () => { buttons.forEach(button => press(button, on)); whole(); });
  }
  by("view").addEventListener("change", view);
  by("method").addEventListener("change", view);
  if (by("function")) {
    by("function").addEventListener("change", () => {
      choose(Number(by("function").value));
      if (state.view === "one") three();
      history.replaceState(null, "", "#" + course().name);
    });
  }
  const follow = () => {
    const named = data.courses.findIndex(c => "#" + c.name === location.hash);
    choose(Math.max(0, named));
  };
  addEventListener("hashchange", () => { follow(); if (state.view === "one") three(); });
  document.querySelector(".stage").hidden = false;
  follow();
  view();
  seek(last);
  new ResizeObserver(whole).observe(by("picture").parentElement);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", whole);
  addEventListener("beforeprint", () => { play(false); draw(); tried(); });
})();
