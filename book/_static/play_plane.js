// M2,2 with a slider for each of its ten weights: its wedges, and its exact error.
(function () {
  "use strict";
  const { play, wedges: exact } = globalThis.algzoo;
  if (!play) return;
  const { data, colours, html, svg, text, line, fixed, share } = play;
  const { presets, nearly_equal: NEARLY_EQUAL } = data.plane;

  const RADIUS = 108;
  const CENTRE = [180, 150];
  // Radians: narrower wedges have no label, wider ones have it inside.
  const [MIN_LABELLED, MIN_INSIDE] = [Math.PI / 18, Math.PI / 3];
  const STRIPS = [1e-3, 1e-2, 1e-1, Math.PI / 4]; // radians to either side of x0 = x1

  // ---- weights and their sliders -------------------------------------------------------------
  // Names are ARC's. Matrices are by rows: W_hh[i, j] leads from neuron j to neuron i.
  const NAMES = [
    ["w_hi", 0], ["w_hi", 1],
    ["w_hh", 0, 0], ["w_hh", 0, 1], ["w_hh", 1, 0], ["w_hh", 1, 1],
    ["w_oh", 0, 0], ["w_oh", 0, 1], ["w_oh", 1, 0], ["w_oh", 1, 1],
  ];
  let weights = structuredClone(presets.trained);

  const get = ([matrix, ...place]) => place.reduce((part, i) => part[i], weights[matrix]);
  function put([matrix, ...place], value) {
    const last = place.pop();
    place.reduce((part, i) => part[i], weights[matrix])[last] = value;
  }
  const label = ([matrix, ...place]) => {
    const sub = html("sub", {}, matrix.slice(2));
    return html("span", {}, "W", sub, `[${place.join(", ")}]`);
  };

  const sliders = NAMES.map((name) => {
    const said = () => fixed(get(name), 4);
    const changed = (value) => {
      put(name, value);
      control.set(value);
      update();
    };
    const control = play.slider(label(name), { said, changed });
    return control;
  });

  // Sliders reach further than the largest weight of their matrix, and make a thousand steps or more.
  function rangeOf(matrix) {
    const most = 1.4 * Math.max(...matrix.flat().map(Math.abs));
    const unit = 10 ** Math.floor(Math.log10(most));
    return { max: Math.ceil(most / unit) * unit, step: unit / 1000 };
  }

  function take(preset) {
    weights = structuredClone(presets[preset]);
    NAMES.forEach((name, k) => {
      const { max, step } = rangeOf(weights[name[0]]);
      Object.assign(sliders[k].input, { min: -max, max, step });
      sliders[k].set(get(name));
    });
    update();
  }

  // ---- pictures ------------------------------------------------------------------------------
  const plane = play.picture(360, 300);
  const strips = play.picture(360, 150);
  const reading = play.reading();
  const rows = html("tbody");

  const at = (angle, radius = RADIUS) => [
    CENTRE[0] + radius * Math.cos(angle),
    CENTRE[1] - radius * Math.sin(angle),
  ];

  // In words and colours as algzoo/chapters/figures/planar.py has them.
  function kindOf({ a0, a1 }) {
    if (a0 === 0 && a1 === 0) return "tie";
    if (a0 === 0) return "ignores x0";
    if (a0 < 0 || a1 <= 0) return "other";
    if (Math.abs(a0 / a1 - 1) < NEARLY_EQUAL) return "nearly equal";
    return a0 < a1 ? "a0 < a1" : "a0 > a1";
  }

  function sector(from, to, attributes) {
    const large = to - from > Math.PI ? 1 : 0;
    const outline =
      `M ${CENTRE.join(" ")} L ${at(from).join(" ")} ` +
      `A ${RADIUS} ${RADIUS} 0 ${large} 0 ${at(to).join(" ")} Z`;
    return svg("path", { d: outline, ...attributes });
  }

  function drawPlane(found) {
    const fills = found.map((wedge) =>
      sector(wedge.from, wedge.to, {
        fill: colours.pieces[kindOf(wedge)], stroke: colours.ink, "stroke-width": 0.8,
      }),
    );
    const wrong = found.flatMap((wedge) => wedge.wrong.map((ends) => sector(...ends, plane.wrong)));
    const labels = found
      .filter(({ from, to }) => to - from > MIN_LABELLED)
      .map(({ from, to, a0, a1 }) => {
        const inside = to - from > MIN_INSIDE;
        const [x, y] = at((from + to) / 2, (inside ? 0.58 : 1.12) * RADIUS);
        const anchor = inside ? "middle" : x > CENTRE[0] ? "start" : "end";
        const style = { "text-anchor": anchor, "font-size": 12, ...play.HALO };
        return [
          text(x, y - 3, `a₀ = ${play.significant(a0)}`, style),
          text(x, y + 13, `a₁ = ${play.significant(a1)}`, style),
        ];
      });
    const [low, high] = [at((5 * Math.PI) / 4, 1.04 * RADIUS), at(Math.PI / 4, 1.04 * RADIUS)];
    const [x, y] = CENTRE;
    plane.draw(
      describe(found),
      fills,
      wrong,
      line(...low, ...high, { "stroke-dasharray": "6 4", "stroke-width": 1.5 }),
      labels,
      line(x + RADIUS, y, x + RADIUS + 10, y),
      line(x, y - RADIUS, x, y - RADIUS - 10),
      text(x + RADIUS + 14, y + 4, "x₀"),
      text(x, y - RADIUS - 16, "x₁", { "text-anchor": "middle" }),
    );
  }

  function describe(found) {
    const parts = found.map(
      (wedge) => `${degrees(wedge.from)} to ${degrees(wedge.to)} degrees ${kindOf(wedge)}`,
    );
    return `The plane of inputs in ${found.length} wedges: ${parts.join(", ")}.`;
  }
  const degrees = (angle) => fixed((180 / Math.PI) * angle, 1);

  // What lies close to the line x0 = x1, stretched.
  function drawStrips(found) {
    const ends = [Math.PI / 4, (5 * Math.PI) / 4].map((middle) => ({
      middle,
      away: furthest(found, middle),
    }));
    const width = STRIPS.find((one) => ends.every(({ away }) => away < 0.9 * one)) || STRIPS[3];
    const across = (angle) => 10 + 170 * (1 + Math.min(1, Math.max(-1, angle / width)));
    const parts = ends.map(({ middle }, k) => {
      const top = 24 + 70 * k;
      const box = (from, to, attributes) => {
        const [left, right] = [across(from - middle), across(to - middle)];
        return right > left
          ? [svg("rect", { x: left, y: top, width: right - left, height: 34, ...attributes })]
          : [];
      };
      return [
        text(180, top - 8, `around x₀ = x₁ ${k ? "<" : ">"} 0, ${stretch(width)}`, { "text-anchor": "middle" }),
        turned(found, middle).map((wedge) => box(wedge.from, wedge.to, { fill: colours.pieces[kindOf(wedge)] })),
        turned(found, middle).flatMap(({ wrong }) => wrong.map((part) => box(...part, strips.wrong))),
        line(across(0), top - 4, across(0), top + 38, { "stroke-dasharray": "4 3", "stroke-width": 1.5 }),
      ];
    });
    strips.draw(
      `The same close to the line where the inputs are equal, ${stretch(width)}: ` +
        `the answer is wrong up to ${ends.map(({ away }) => milliradians(away)).join(" and ")} from it.`,
      parts,
    );
  }

  /** Wedges and their wrong parts with angles within pi of the middle, cut at that seam. */
  function turned(found, middle) {
    const pieces = ([from, to]) =>
      [-2 * Math.PI, 0, 2 * Math.PI]
        .map((turn) => [Math.max(from + turn, middle - 1), Math.min(to + turn, middle + 1)])
        .filter(([start, stop]) => start < stop);
    return found.flatMap((wedge) =>
      pieces([wedge.from, wedge.to]).map(([from, to]) => ({
        ...wedge, from, to, wrong: wedge.wrong.flatMap(pieces),
      })),
    );
  }

  /** How far the wrong parts that touch the line x0 = x1 reach away from it, in radians. */
  function furthest(found, middle) {
    const parts = turned(found, middle).flatMap(({ wrong }) => wrong);
    let [low, high] = [middle, middle];
    for (let again = true; again; ) {
      again = false;
      for (const [from, to] of parts) {
        if (from < low && to > low - 1e-12) [low, again] = [from, true];
        if (to > high && from < high + 1e-12) [high, again] = [to, true];
      }
    }
    return Math.max(high - middle, middle - low);
  }

  const milliradians = (angle) => `${play.significant(1000 * angle)} milliradians`;
  const stretch = (width) =>
    width === STRIPS[3] ? "45 degrees to either side" : `${play.count(1000 * width)} milliradian${width > 1e-3 ? "s" : ""} to either side`;

  // ---- all of it -----------------------------------------------------------------------------
  function update() {
    const found = exact.wedges(weights);
    const error = exact.error(found);
    drawPlane(found);
    drawStrips(found);
    reading.say(
      `Error rate ${play.significant(error, 6)}, accuracy ${(100 * (1 - error)).toFixed(6)}%` +
        (error > 1e-12 && error < 0.2 ? `: one input in ${play.count(Math.round(1 / error))} is answered wrongly.` : "."),
    );
    rows.replaceChildren(
      ...found.map((wedge) => {
        const neurons = (list) => (list.length ? list.join(", ") : "none");
        const cells = [neurons(wedge.active), play.significant(wedge.a0), play.significant(wedge.a1), share(wedge.error)];
        const head = html("th", { scope: "row" }, `${degrees(wedge.from)}° to ${degrees(wedge.to)}°`);
        return html("tr", {}, head, ...cells.map((cell) => html("td", {}, cell)));
      }),
    );
  }

  const heads = ["wedge", "active after x₁", "a₀", "a₁", "wrong there, of all inputs"];
  const table = html(
    "table",
    { class: "table" },
    html("thead", {}, html("tr", {}, ...heads.map((head) => html("th", { scope: "col" }, head)))),
    rows,
  );
  play.figure(
    "plane",
    html(
      "div",
      { class: "play-buttons", role: "group", "aria-label": "Weights to start from" },
      play.button("Reset: as trained", () => take("trained")),
      play.button("In standard form", () => take("standard form")),
      play.button("Handcrafted", () => take("handcrafted")),
    ),
    html(
      "div",
      { class: "play-beside" },
      html("div", {}, plane.element, strips.element),
      html("div", { class: "play-sliders" }, ...sliders.map(({ row }) => row)),
    ),
    ...reading.parts,
    html(
      "details",
      {},
      html("summary", {}, "The wedges as a table"),
      html("div", { class: "pst-scrollable-table-container" }, table),
    ),
  );
  take("trained");
})();
