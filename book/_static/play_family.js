// M4,3's family: the handcrafted networks of three inputs, with a slider for lambda.
(function () {
  "use strict";
  const { play } = globalThis.algzoo;
  if (!play) return;
  const { data, colours, svg, text, line, html } = play;
  const { range, handcrafted, trained } = data.family;

  const RADIUS = 98;
  const CENTRE = [180, 150];
  const EQUAL_LAST = Math.PI / 6; // direction of x1 = x2 in the map, where the errors are
  const SIXTH = Math.PI / 3;

  const map = play.picture(360, 300);
  const curve = play.picture(360, 300);
  const reading = play.reading();

  const at = (angle, radius = RADIUS) => [
    CENTRE[0] + radius * Math.cos(angle),
    CENTRE[1] - radius * Math.sin(angle),
  ];
  const sector = (from, to, attributes) =>
    svg("path", {
      d: `M ${CENTRE.join(" ")} L ${at(from).join(" ")} A ${RADIUS} ${RADIUS} 0 0 0 ${at(to).join(" ")} Z`,
      ...attributes,
    });

  // The positions of the smallest, the middle and the largest input in a direction of the map.
  function orderAt(angle) {
    const [right, up] = data.frame;
    const x = right.map((r, i) => r * Math.cos(angle) + up[i] * Math.sin(angle));
    return [0, 1, 2].sort((i, j) => x[i] - x[j]);
  }

  function drawMap(lam) {
    const half = play.halfAngle(lam);
    const parts = [0, 1, 2, 3, 4, 5].map((k) => {
      const middle = k * SIXTH;
      const order = orderAt(middle);
      const colour = colours.answers[order[1]];
      const [x, y] = at(middle, 1.08 * RADIUS);
      const anchor = Math.cos(middle) > 0 ? "start" : "end";
      return [
        sector(middle - SIXTH / 2, middle + SIXTH / 2, { fill: colour, stroke: colour }),
        text(x, y + (y > CENTRE[1] + 9 ? 14 : y < CENTRE[1] - 9 ? -2 : 4), order.map((i) => `x${"₀₁₂"[i]}`).join(" < "), {
          "text-anchor": anchor, "font-size": 12,
        }),
      ];
    });
    const middles = [EQUAL_LAST, EQUAL_LAST + Math.PI];
    const wrong = middles.map((middle) => [
      sector(middle - half, middle + half, { fill: colours.answers[0] }),
      sector(middle - half, middle + half, map.wrong),
    ]);
    const lines = [0, 1, 2].map((k) => {
      const angle = EQUAL_LAST + k * SIXTH;
      return line(...at(angle), ...at(angle + Math.PI), { "stroke-dasharray": "5 4" });
    });
    const answers = [0, 1, 2, 3, 4, 5].map((k) => {
      const [x, y] = at(k * SIXTH, 0.62 * RADIUS);
      return text(x, y + 5, String(orderAt(k * SIXTH)[1]), { "text-anchor": "middle", "font-size": 15, ...play.HALO });
    });
    const rim = svg("circle", { cx: CENTRE[0], cy: CENTRE[1], r: RADIUS, fill: "none", stroke: colours.ink });
    map.draw(
      "A disk of six sectors, one for each order of the three inputs. Two wedges about the line " +
        `where inputs 1 and 2 are equal are wrong; each is ${play.significant((360 / Math.PI) * half)} degrees wide.`,
      parts, wrong, lines, answers, rim,
    );
  }

  const plot = play.axes(
    { log: true, range, ticks: [0.1, 1, 10, 100], name: "λ" },
    { log: true, range: [1e-5, 1], ticks: [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1], name: "error rate",
      said: (y) => (y === 1 ? "1" : `10${play.power(Math.round(Math.log10(y)))}`) },
  );
  const formula = play.geometric(...range, 80).map((lam) => [lam, play.familyError(lam)]);

  function drawCurve(lam) {
    const orange = colours.lines[1];
    const [x, y] = [plot.across(trained.lambda), plot.up(trained.error)];
    curve.draw(
      `The error rate against lambda, both on logarithmic axes: it falls. At lambda ` +
        `${play.significant(lam)} it is ${play.significant(play.familyError(lam))}. The trained network is marked.`,
      plot.frame,
      plot.curve(formula),
      plot.mark([lam, play.familyError(lam)], { r: 6, fill: colours.lines[0], stroke: "#ffffff" }),
      line(x, y, x, plot.up(1e-5), { stroke: orange, "stroke-dasharray": "3 3" }),
      svg("path", { d: `M ${x} ${y - 6} l 6 6 l -6 6 l -6 -6 Z`, fill: orange }),
      text(x + 10, y - 6, `trained, λ = ${trained.lambda.toFixed(2)}`),
    );
  }

  const said = (place) => play.significant(10 ** place);
  const lambda = play.slider("λ (the slider is logarithmic)", {
    min: Math.log10(range[0]), max: Math.log10(range[1]), step: 0.005, said,
    changed: (place) => update(10 ** place),
  });

  function update(lam) {
    drawMap(lam);
    drawCurve(lam);
    const there = lam === trained.lambda ? ` The trained M₄,₃ errs on ${play.share(trained.error)}.` : "";
    reading.say(
      `λ = ${play.significant(lam)}: each wedge reaches ${play.significant((180 / Math.PI) * play.halfAngle(lam))}° to ` +
        `either side of the line, and the error rate is ${play.share(play.familyError(lam))}.${there}`,
    );
  }

  function go(lam) {
    lambda.set(Math.log10(lam));
    update(lam);
  }

  play.figure(
    "family",
    lambda.row,
    html(
      "div",
      { class: "play-buttons", role: "group", "aria-label": "Values of lambda" },
      play.button(`Reset: as trained, λ = ${trained.lambda.toFixed(2)}`, () => go(trained.lambda)),
      play.button(`ARC’s handcrafted network, λ = ${handcrafted}`, () => go(handcrafted)),
    ),
    html("div", { class: "play-beside" }, map.element, curve.element),
    ...reading.parts,
  );
  go(trained.lambda);
})();
