// Training as a film: M4,3 along lambda, and a median network in the valley where it is stuck.
(function () {
  "use strict";
  const { play, network } = globalThis.algzoo;
  if (!play) return;
  const { data, colours, html, svg, text, line } = play;

  const said = (n) => `${play.count(n)} sequences`; // that it was trained on

  // ---- M4,3 along lambda -----------------------------------------------------------------------
  const SIDE = 300; // pixels of a disk
  const colourOf = (hex) => [1, 3, 5].map((k) => Number.parseInt(hex.slice(k, k + 2), 16));
  const [ANSWERS, TIE, ERROR] = [
    colours.answers.map(colourOf), colourOf(colours.tie), colourOf(colours.error),
  ];

  /** The map of one half of the sphere: the network's answer at every pixel. */
  function disk(weights, half) {
    const image = new ImageData(SIDE, SIDE);
    for (let row = 0; row < SIDE; row += 1) {
      for (let column = 0; column < SIDE; column += 1) {
        const place = [(2 * column + 1) / SIDE - 1, 1 - (2 * row + 1) / SIDE];
        const [r, g, b] = pixel(weights, place, half, row + column) || [255, 255, 255];
        image.data.set([r, g, b, 255], 4 * (row * SIDE + column));
      }
    }
    return image;
  }

  function pixel(weights, [right, up], half, diagonal) {
    const squared = right * right + up * up;
    if (squared > 1) return null;
    // Lambert's projection, as in algzoo/chapters/figures/spherical.py, the other way round.
    const height = 1 - squared;
    const along = [right, up].map((one) => one * Math.sqrt(1 + height)).concat(height);
    const x = [0, 1, 2].map((i) => half * data.frame.reduce((sum, axis, k) => sum + axis[i] * along[k], 0));
    const logits = network.outputs(weights, x);
    const answer = network.answer(logits);
    if (answer !== network.ranking(x)[1] && diagonal % 6 < 3) return ERROR; // hatched
    return logits.every((logit) => logit === logits[0]) ? TIE : ANSWERS[answer];
  }

  const maps = new Map();
  const canvases = [1, -1].map((half) =>
    html("canvas", { width: SIDE, height: SIDE, role: "img", "data-half": half }),
  );
  function drawMaps(frame) {
    const { weights, error } = data.training[frame];
    if (!maps.has(frame)) maps.set(frame, [1, -1].map((half) => disk(weights, half)));
    canvases.forEach((canvas, k) => {
      canvas.getContext("2d").putImageData(maps.get(frame)[k], 0, 0);
      canvas.setAttribute(
        "aria-label",
        `Map of the answers on the half of the sphere where the sum of the inputs is ` +
          `${k ? "negative" : "positive"}; ${play.share(error)} of the whole sphere is wrong.`,
      );
    });
  }

  const path = play.picture(360, 300);
  const range = [0.5, 6];
  const plot = play.axes(
    { log: true, range, ticks: [0.5, 1, 2, 4], name: "λ" },
    { log: true, range: [0.005, 0.5], ticks: [0.01, 0.1], name: "error rate", said: (y) => `${100 * y}%` },
  );
  const formula = play.geometric(...range, 40).map((lam) => [lam, play.familyError(lam)]);

  function drawPath(frame) {
    const orange = colours.lines[1];
    const been = data.training.slice(0, frame + 1).filter((one) => one.lambda !== null);
    const points = been.map((one) => [one.lambda, one.error]);
    path.draw(
      `The error rate against lambda on logarithmic axes, with the family's formula as a line and ` +
        `${points.length} checkpoints as marks close to it.`,
      plot.frame,
      plot.curve(formula),
      plot.curve(points, { stroke: orange, "stroke-width": 1 }),
      points.map((point) => plot.mark(point, { fill: orange })),
      points.slice(-1).map((point) => plot.mark(point, { r: 7, fill: orange, stroke: colours.ink })),
      text(plot.across(2.1), plot.up(0.12), "line: the formula"),
    );
  }

  const lambdaReading = play.reading();
  const lambdaFilm = play.film("M₄,₃ after", data.training.length - 1, {
    said: (frame) => said(data.training[frame].n_seqs),
    changed: (frame) => {
      const { n_seqs: n, lambda, error, formula: predicted } = data.training[frame];
      drawMaps(frame);
      drawPath(frame);
      lambdaReading.say(
        `After ${said(n)} the error rate is ${play.share(error)}. ` +
          (lambda === null
            ? "No λ fits the network."
            : `λ = ${play.significant(lambda)}, for which the formula gives ${play.share(predicted)}.`),
      );
    },
  });
  play.figure(
    "lambda-film",
    lambdaFilm.row,
    html("div", { class: "play-beside" }, html("div", { class: "play-disks" }, ...canvases), path.element),
    ...lambdaReading.parts,
  );

  // ---- the stuck median ------------------------------------------------------------------------
  const { limit, excess_times_gate: EXCESS, runs } = data.valley;
  const MARKS = Object.fromEntries(runs.filter(({ stuck }) => stuck).map(({ seed }, k) => [seed, colours.lines[k]]));
  const valley = play.picture(360, 300);
  const output = play.picture(360, 300);
  let run = runs.find(({ stuck }) => stuck);

  const gates = [3, 3000];
  const road = play.axes(
    { log: true, range: gates, ticks: [10, 100, 1000], name: "gate g", said: play.count },
    { log: true, range: [2e-6, 5e-3], ticks: [1e-5, 1e-4, 1e-3], name: "mean squared error above the limit",
      said: (y) => `10${play.power(Math.round(Math.log10(y)))}` },
  );

  function drawValley(frame) {
    const marks = runs.filter(({ stuck }) => stuck).map(({ seed, checkpoints }) => {
      const been = checkpoints.slice(0, frame + 1).filter((one) => one.gate !== undefined);
      const fill = MARKS[seed];
      const points = been.map((one) => [one.gate, one.excess]);
      const isShown = seed === run.seed;
      return [
        isShown ? road.curve(points, { stroke: fill, "stroke-width": 1 }) : [],
        points.map((point) => road.mark(point, { fill, opacity: isShown ? 1 : 0.35 })),
        points.slice(-1).map(([gate, excess]) =>
          isShown
            ? road.mark([gate, excess], { r: 7, fill, stroke: colours.ink })
            : [],
        ),
      ];
    });
    const legend = Object.entries(MARKS).map(([seed, fill], k) => [
      svg("circle", { cx: 260, cy: 52 + 20 * k, r: 4, fill }),
      text(272, 57 + 20 * k, `seed ${seed}`),
    ]);
    valley.draw(
      "On logarithmic axes, checkpoints of the stuck runs go down beside a falling line while the gate grows.",
      road.frame,
      road.curve(gates.map((gate) => [gate, EXCESS / gate])),
      marks,
      legend,
    );
  }

  const lines = play.axes(
    { range: [-3, 3], ticks: [-2, 0, 2], name: "x₁", said: (x) => play.minus(String(x)) },
    { range: [-2.2, 2.2], ticks: [-2, -1, 0, 1, 2], name: "output; dashed: the mean of x₀ and x₁",
      said: (y) => play.minus(String(y)) },
  );

  function drawOutput(frame) {
    const { weights } = run.checkpoints[frame];
    const across = Array.from({ length: 121 }, (_, k) => -3 + k / 20);
    const parts = [1, -1].map((x0, k) => {
      const stroke = colours.lines[2 * k];
      const clipped = (y) => Math.max(-2.2, Math.min(2.2, y));
      const points = across.map((x1) => [x1, clipped(network.outputs(weights, [x0, x1])[0])]);
      return [
        lines.curve([-3, 3].map((x1) => [x1, (x0 + x1) / 2]), { stroke, "stroke-dasharray": "5 4", "stroke-width": 1 }),
        lines.curve(points, { stroke, "stroke-width": 2.5 }),
        text(lines.across(-2.9), lines.up(1.9 - 0.35 * k), `x₀ = ${play.minus(String(x0))}`, { fill: stroke, "font-weight": "bold" }),
      ];
    });
    output.draw(
      `The output of the median network of seed ${run.seed} against input 1, for input 0 equal to 1 and ` +
        `to minus 1, beside the mean of the two inputs. Mean squared error ${play.significant(run.checkpoints[frame].error)}.`,
      lines.frame,
      parts,
    );
  }

  const medianReading = play.reading();
  function showMedian(frame) {
    const { n_seqs: n, error, gate } = run.checkpoints[frame];
    drawValley(frame);
    drawOutput(frame);
    const ends = run.stuck
      ? gate === undefined ? "" : ` Its gate is ${play.significant(gate)}.`
      : " This run is not stuck: it learns the mean.";
    medianReading.say(
      `Seed ${run.seed} after ${said(n)}: the mean squared error is ${play.significant(error)}` +
        `${run.stuck ? `; the limit of a network that forgets is ${play.significant(limit)}` : ""}.${ends}`,
    );
  }
  const medianFilm = play.film("median after", runs[0].checkpoints.length - 1, {
    said: (frame) => said(runs[0].checkpoints[frame].n_seqs),
    changed: showMedian,
  });
  const choices = runs.map((one) => {
    const input = html("input", { type: "radio", name: "play-seed", value: one.seed });
    input.checked = one === run;
    input.addEventListener("change", () => {
      run = one;
      showMedian(medianFilm.now());
    });
    return html("label", {}, input, ` ${one.seed}${one.stuck ? ", stuck" : ""}`);
  });
  play.figure(
    "valley-film",
    html("fieldset", { class: "play-choice" }, html("legend", {}, "Training seed"), ...choices),
    medianFilm.row,
    html("div", { class: "play-beside" }, valley.element, output.element),
    ...medianReading.parts,
  );
  lambdaFilm.show(data.training.length - 1);
  medianFilm.show(runs[0].checkpoints.length - 1);
})();
