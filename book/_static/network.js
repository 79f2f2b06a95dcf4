// The recurrent networks of the book, in float64, as algzoo/zoo/architectures.py has them:
//   h[0] = 0,   h[t + 1] = ReLU(W_hh h[t] + W_hi x[t]),   logits = W_oh h[n].
// Weights are an object { w_hi, w_hh, w_oh } of arrays, matrices by rows. Runs in browsers and in Node.
(function (root) {
  "use strict";

  const dot = (row, vector) => row.reduce((sum, entry, j) => sum + entry * vector[j], 0);

  /** The state after reading one more input. */
  function step({ w_hi, w_hh }, state, x) {
    return w_hh.map((row, i) => Math.max(0, dot(row, state) + w_hi[i] * x));
  }

  /** The states: before the first input, and after each of them. */
  function states(weights, inputs) {
    const all = [weights.w_hi.map(() => 0)];
    for (const x of inputs) all.push(step(weights, all[all.length - 1], x));
    return all;
  }

  /** The outputs that are read out of a state: logits, or the one number of a median model. */
  const readout = ({ w_oh }, state) => w_oh.map((row) => dot(row, state));

  /** The outputs after the last input. */
  const outputs = (weights, inputs) => readout(weights, states(weights, inputs).pop());

  /** The position of the largest logit; if several are equal, the first of them, as with argmax. */
  const answer = (logits) => logits.indexOf(Math.max(...logits));

  /** The positions of the inputs from the largest to the smallest. */
  const ranking = (inputs) => inputs.map((_, i) => i).sort((i, j) => inputs[j] - inputs[i]);

  const network = { step, states, readout, outputs, answer, ranking };
  if (typeof module === "object") module.exports = network;
  else root.algzoo = { ...root.algzoo, network };
})(globalThis);
