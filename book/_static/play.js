// Parts that the figures of book/play share: their data, controls, plots, and numbers in words.
(function (root) {
  "use strict";
  const source = document.getElementById("play-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const { colours } = data;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  // ---- elements ----------------------------------------------------------------------------
  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name, value);
      else if (value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }
  const html = (name, attributes = {}, ...children) =>
    fill(document.createElement(name), attributes, children);
  const svg = (name, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

  const text = (x, y, words, attributes = {}) =>
    svg("text", { x, y, fill: colours.ink, "font-size": 14, ...attributes }, words);
  // For text on coloured areas.
  const HALO = { stroke: "#ffffff", "stroke-opacity": 0.75, "stroke-width": 3, "paint-order": "stroke" };
  const line = (x1, y1, x2, y2, attributes = {}) =>
    svg("line", { x1, y1, x2, y2, stroke: colours.ink, ...attributes });

  /** An empty white picture whose parts are replaced by draw(...parts), with a description. */
  function picture(width, height) {
    const hatch = `hatch-${(picture.made = (picture.made || 0) + 1)}`;
    const drawing = svg("g");
    const stripes = svg(
      "pattern",
      { id: hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      line(0, 0, 0, 6, { stroke: colours.error, "stroke-width": 3 }),
    );
    const element = svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "img", class: "play-picture" },
      svg("defs", {}, stripes),
      svg("rect", { width, height, fill: "#ffffff" }),
      drawing,
    );
    const wrong = { fill: `url(#${hatch})`, stroke: colours.error, "stroke-width": 1 };
    function draw(description, ...parts) {
      element.setAttribute("aria-label", description);
      drawing.replaceChildren(...parts.flat(Infinity));
    }
    return { element, draw, wrong, width, height };
  }

  // ---- controls ----------------------------------------------------------------------------
  const button = (label, act) => html("button", { type: "button", click: act }, label);

  /** A slider with its name and its value in words; `said` turns the slider's number into words. */
  function slider(label, { min, max, step, said, changed }) {
    const output = html("output", { "aria-live": "off" }); // screen readers say the slider's own text
    const input = html("input", { type: "range", min, max, step, "aria-valuetext": "" });
    const row = html("label", { class: "play-slider" }, html("span", {}, label), input, output);
    function set(value) {
      input.value = value;
      input.setAttribute("aria-valuetext", said(value));
      output.textContent = said(value);
    }
    input.addEventListener("input", () => {
      set(Number(input.value));
      changed(Number(input.value));
    });
    return { row, set, input };
  }

  /** Buttons and a slider that go through the frames 0 to last; nothing plays by itself. */
  function film(label, last, { said, changed, rate = 900 }) {
    let frame = 0;
    let timer = 0;
    const play = button("Play", () => (timer ? stop() : start()));
    const frames = slider(label, {
      min: 0,
      max: last,
      step: 1,
      said,
      changed: (value) => {
        stop();
        show(value);
      },
    });
    function show(value) {
      frame = value;
      frames.set(frame);
      changed(frame);
    }
    function stop() {
      window.clearInterval(timer);
      timer = 0;
      play.textContent = "Play";
    }
    function start() {
      show(frame === last ? 0 : frame + 1);
      play.textContent = "Pause";
      timer = window.setInterval(() => {
        if (frame < last) show(frame + 1);
        if (frame === last) stop();
      }, rate);
    }
    // A reader who wants no motion moves the slider instead.
    const obey = () => {
      play.hidden = calm.matches;
      if (calm.matches) stop();
    };
    calm.addEventListener("change", obey);
    obey();
    return { row: html("div", { class: "play-film" }, play, frames.row), show, now: () => frame };
  }

  /** Fill the figure with that name, which then takes the place of its static picture. */
  function figure(name, ...parts) {
    const place = document.getElementById(`play-${name}`);
    place.prepend(...parts);
    place.hidden = false;
    const still = document.getElementById(`play-${name}-still`);
    if (still) still.hidden = true;
  }

  /** A sentence that is always up to date, and is read out only when the reader has paused. */
  function reading() {
    const seen = html("p", { class: "play-reading" });
    const heard = html("p", { class: "play-heard", role: "status" });
    let waiting = 0;
    let begun = false;
    function say(words) {
      seen.textContent = words;
      window.clearTimeout(waiting);
      if (begun) waiting = window.setTimeout(() => (heard.textContent = words), 1200);
      begun = true; // the first sentence is there when the page opens, and is read with it
    }
    return { parts: [seen, heard], say };
  }

  // ---- numbers -----------------------------------------------------------------------------
  const minus = (words) => words.replace(/-/g, "−");
  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const power = (n) =>
    (n < 0 ? "⁻" : "") + [...String(Math.abs(n))].map((digit) => SUPERSCRIPTS[digit]).join("");

  const fixed = (x, digits) => minus((Math.round(x * 10 ** digits) / 10 ** digits + 0).toFixed(digits));

  /** A number with so many significant digits; small and large ones as x × 10ⁿ. */
  function significant(x, digits = 3) {
    if (x === 0) return "0";
    const [factor, exponent] = x.toExponential(digits - 1).split("e").map(Number);
    if (exponent >= -3 && exponent < 6) {
      return minus(x.toFixed(Math.max(0, digits - 1 - exponent)));
    }
    return minus(`${factor.toFixed(digits - 1)} × 10${power(exponent)}`);
  }

  /** A share of all inputs: percents, or a power of ten where these are small. */
  const share = (x) => (x >= 0.001 || x === 0 ? `${significant(100 * x)}%` : significant(x));

  const count = (n) => n.toLocaleString("en");

  /** Half the angle of each wedge of errors in M4,3's family: explanations/second_argmax_h4_n3. */
  const halfAngle = (lam) => Math.atan2(Math.sqrt(3), (2 * lam + 1) ** 2);
  const familyError = (lam) => (2 / Math.PI) * halfAngle(lam);

  /** Standard Gaussian numbers with two decimals, the same for the same seed: mulberry32, Box-Muller. */
  function gaussians(seed, n) {
    let state = seed >>> 0;
    function uniform() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    }
    const one = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return Array.from({ length: n }, () => Math.round(100 * one()) / 100);
  }

  // ---- plots -------------------------------------------------------------------------------
  /** Axes with logarithmic or linear scales, within a picture of 360 times 300. */
  function axes(x, y, [left, top, width, height] = [48, 34, 288, 220]) {
    const of = (scale, value) => {
      const [low, high] = scale.range.map(scale.log ? Math.log : Number);
      return ((scale.log ? Math.log(value) : value) - low) / (high - low);
    };
    const across = (value) => left + width * of(x, value);
    const up = (value) => top + height * (1 - of(y, value));
    const bottom = top + height;
    const frame = [
      line(left, bottom, left + width, bottom),
      line(left, top, left, bottom),
      x.ticks.map((value) => [
        line(across(value), bottom, across(value), bottom + 4),
        text(across(value), bottom + 19, (x.said || String)(value), { "text-anchor": "middle" }),
      ]),
      y.ticks.map((value) => [
        line(left - 4, up(value), left, up(value)),
        text(left - 7, up(value) + 4, (y.said || String)(value), { "text-anchor": "end" }),
      ]),
      text(left + width / 2, bottom + 38, x.name, { "text-anchor": "middle" }),
      text(left - 40, top - 12, y.name, { "text-anchor": "start" }),
    ];
    const curve = (points, attributes = {}) =>
      svg("polyline", {
        points: points.map(([a, b]) => `${across(a)},${up(b)}`).join(" "),
        fill: "none",
        stroke: colours.ink,
        "stroke-width": 1.5,
        ...attributes,
      });
    const mark = ([a, b], attributes = {}) =>
      svg("circle", { cx: across(a), cy: up(b), r: 4, fill: colours.ink, ...attributes });
    return { frame, curve, mark, across, up };
  }

  /** Numbers from low to high, each the same factor above the one before. */
  const geometric = (low, high, n) =>
    Array.from({ length: n }, (_, k) => low * (high / low) ** (k / (n - 1)));

  root.algzoo.play = {
    data, colours, HALO, html, svg, text, line, picture, button, slider, film, figure, reading,
    minus, fixed, significant, share, power, count, gaussians, axes, geometric, halfAngle, familyError,
  };
})(globalThis);
