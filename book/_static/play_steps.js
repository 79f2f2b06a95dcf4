// M16,10 read input by input: ten inputs, sixteen neurons, ten logits.
(function () {
  "use strict";
  const { play, network } = globalThis.algzoo;
  if (!play) return;
  const { data, colours, html, svg, text, line, fixed } = play;
  const { weights, inputs: FIRST } = data.steps;
  const N = FIRST.length;
  const SEARCHED = 10000; // seeds that are tried for a wrong answer
  const [BLUE, ORANGE, GREEN] = colours.lines;

  let inputs = [...FIRST];
  let step = 0;
  let seed = 0;

  const read = play.picture(360, 200);
  const neurons = play.picture(360, 230);
  const ends = play.picture(360, 200);
  const reading = play.reading();

  // ---- bars ----------------------------------------------------------------------------------
  /** Bars between top and bottom, zero included; returns the parts and where each bar ends. */
  function bars(values, { top, bottom, low, high, colour, faded = () => false }) {
    const width = 340 / values.length;
    const up = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
    return values.map((value, i) => {
      const [x, y] = [10 + i * width, Math.min(up(value), up(0))];
      return svg("rect", {
        x: x + 0.12 * width, y, width: 0.76 * width, height: Math.abs(up(value) - up(0)),
        fill: colour(i), opacity: faded(i) ? 0.25 : 1,
      });
    });
  }
  const middle = (i, n) => 10 + ((i + 0.5) * 340) / n;
  const numbered = (n, y, named = String) =>
    Array.from({ length: n }, (_, i) => text(middle(i, n), y, named(i), { "text-anchor": "middle", "font-size": 12 }));

  function drawInputs(leading) {
    const reach = Math.max(1, ...inputs.map(Math.abs));
    const scale = { top: 40, bottom: 140, low: -reach, high: reach };
    const colour = (i) => (i === leading[0] ? GREEN : i === leading[1] ? BLUE : colours.grey);
    const names = leading.map((i, k) =>
      text(middle(i, N), 178, ["1st", "2nd"][k], { "text-anchor": "middle", "font-size": 12, "font-weight": "bold" }),
    );
    const frame = { x: middle(step - 1, N) - 16, y: 34, width: 32, height: 112, fill: "none", stroke: colours.ink };
    read.draw(
      `The ten inputs as bars, of which ${step} are read.`,
      text(10, 20, "inputs; those not read yet are pale"),
      bars(inputs, { ...scale, colour, faded: (i) => i >= step }),
      line(10, 90, 350, 90),
      step ? svg("rect", frame) : [],
      numbered(N, 162),
      names,
    );
  }

  function drawNeurons(states) {
    const high = Math.max(1, ...states.flat());
    const scale = { top: 36, bottom: 170, low: 0, high };
    const colour = (i) => (weights.w_hi[i] > 0 ? BLUE : ORANGE);
    const before = step ? states[step - 1] : states[0];
    const width = 340 / before.length;
    const was = before.map((value, i) => {
      const y = scale.bottom - (value / high) * (scale.bottom - scale.top);
      const x = 10 + i * width;
      return line(x + 2, y, x + width - 2, y, { stroke: colours.grey, "stroke-dasharray": "3 2" });
    });
    const on = states[step].filter((value) => value > 0).length;
    neurons.draw(
      `The sixteen neurons after ${step} inputs as bars; ${on} are on. ` +
        `Their values: ${states[step].map((value) => fixed(value, 1)).join(", ")}.`,
      text(10, 20, step ? `neurons after input ${step - 1}; dashes: one input earlier` : "neurons before the first input: all 0"),
      bars(states[step], { ...scale, colour }),
      step ? was : [],
      line(10, scale.bottom, 350, scale.bottom),
      numbered(states[step].length, 188),
      numbered(states[step].length, 206, (i) => (weights.w_hi[i] > 0 ? "+" : "−")),
    );
  }

  function drawLogits(states) {
    if (step < N) {
      ends.draw("No logits yet.", text(180, 95, "The logits are read out after the last input.", { "text-anchor": "middle" }));
      return;
    }
    const logits = network.readout(weights, states[N]);
    const answer = network.answer(logits);
    const [low, high] = [Math.min(0, ...logits), Math.max(0, ...logits)];
    const scale = { top: 36, bottom: 150, low, high };
    const zero = scale.bottom - ((0 - low) / (high - low || 1)) * (scale.bottom - scale.top);
    ends.draw(
      `The ten logits as bars: ${logits.map((value) => fixed(value, 1)).join(", ")}. The largest is logit ${answer}.`,
      text(10, 20, "logits; the largest is the answer"),
      bars(logits, { ...scale, high: high === low ? low + 1 : high, colour: (i) => (i === answer ? GREEN : colours.grey) }),
      line(10, zero, 350, zero),
      numbered(N, 168),
      text(middle(answer, N), 184, "answer", { "text-anchor": "middle", "font-size": 12, "font-weight": "bold" }),
    );
  }

  // ---- all of it -----------------------------------------------------------------------------
  function update() {
    const states = network.states(weights, inputs);
    const leading = network.ranking(inputs.slice(0, step)).slice(0, 2);
    drawInputs(leading);
    drawNeurons(states);
    drawLogits(states);
    reading.say(inWords(leading, states));
    back.disabled = first.disabled = step === 0;
    forward.disabled = last.disabled = step === N;
  }

  function inWords(leading, states) {
    if (step === 0) return "Nothing has been read. All neurons are 0.";
    const [largest, second] = leading.map((i) => `input ${i} (${fixed(inputs[i], 2)})`);
    const now =
      `Input ${step - 1} is ${fixed(inputs[step - 1], 2)}. The largest so far is ${largest}` +
      (second ? `, the second largest ${second}.` : ".");
    if (step < N) return now;
    const answer = network.answer(network.readout(weights, states[N]));
    const isRight = inputs[answer] === inputs[leading[1]]; // also where two inputs are equal
    return `${now} The network answers ${answer}, which is ${isRight ? "right" : "wrong"}.`;
  }

  function go(to) {
    step = Math.min(N, Math.max(0, to));
    steps.set(step);
    update();
  }

  function take(numbers) {
    inputs = [...numbers];
    boxes.forEach((box, i) => (box.value = inputs[i].toFixed(2)));
  }

  const boxes = FIRST.map((_, i) => {
    const box = html("input", { type: "number", step: 0.01, min: -100, max: 100 });
    box.addEventListener("input", () => {
      if (!Number.isFinite(box.valueAsNumber)) return; // while it is being typed
      inputs[i] = box.valueAsNumber;
      update();
    });
    return box;
  });
  const fields = boxes.map((box, i) => html("label", {}, html("span", {}, `input ${i}`), box));

  const steps = play.slider("inputs read", {
    min: 0, max: N, step: 1, said: (value) => `${value} of ${N}`, changed: go,
  });
  const first = play.button("Start", () => go(0));
  const back = play.button("Step back", () => go(step - 1));
  const forward = play.button("Step forward", () => go(step + 1));
  const last = play.button("End", () => go(N));

  function draw() {
    seed += 1;
    take(play.gaussians(seed, N));
    go(1);
  }

  const isWrong = (numbers) =>
    new Set(numbers).size === N &&
    network.answer(network.outputs(weights, numbers)) !== network.ranking(numbers)[1];

  function findWrong() {
    for (let tries = 0; tries < SEARCHED; tries += 1) {
      seed += 1;
      const numbers = play.gaussians(seed, N);
      if (isWrong(numbers)) {
        take(numbers);
        go(N);
        return;
      }
    }
  }

  function restart() {
    seed = 0;
    take(FIRST);
    go(1);
  }

  const group = (label, ...buttons) =>
    html("div", { class: "play-buttons", role: "group", "aria-label": label }, ...buttons);
  play.figure(
    "steps",
    html("fieldset", { class: "play-fields" }, html("legend", {}, "Inputs"), ...fields),
    group(
      "Inputs",
      play.button("Ten new random inputs", draw),
      play.button("The next random inputs that it gets wrong", findWrong),
      play.button("Reset", restart),
    ),
    steps.row,
    group("Steps", first, back, forward, last),
    html("div", { class: "play-beside" }, read.element, neurons.element, ends.element, html("div", {}, ...reading.parts)),
  );
  restart();
})();
