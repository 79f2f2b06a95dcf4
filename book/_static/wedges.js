// The wedges of a 2nd-argmax network of two inputs, and its error, exactly. The method is that of
// algzoo/structure/geometry/plane.py and algzoo/estimates/few_inputs/two.py: the network is determined
// by its values on the lines x0 = 1 and x0 = -1, where it is piecewise linear in t = x1 / |x0|.
// Weights are doubles, that is whole numbers divided by a power of two. All decisions are made on those
// whole numbers (BigInt), without rounding; only angles are rounded.
// Runs in browsers and in Node. Sizes of weights: 0, or from about 1e-50 to 1e50.
(function (root) {
  "use strict";

  const magnitude = (n) => (n < 0n ? -n : n);
  const sum = (numbers) => numbers.reduce((total, n) => total + n, 0n);

  // ---- whole numbers -----------------------------------------------------------------------
  /** Whole numbers that are the given doubles times 2 ** digits; rows may be nested once. */
  function lifted(rows) {
    const parts = rows.map((row) => row.map(wholeNumber));
    const digits = Math.max(...parts.flat().map(([, k]) => k));
    const whole = parts.map((row) => row.map(([n, k]) => n << BigInt(digits - k)));
    return { whole, digits };
  }

  function wholeNumber(x) {
    let digits = 0;
    for (; !Number.isInteger(x); digits += 1) x *= 2;
    return [BigInt(x), digits];
  }

  // A point t of a line is a fraction { n, d } with d >= 0; d is 0 at the two ends of the line.
  const fraction = (n, d) => (d < 0n ? { n: -n, d: -d } : { n, d });
  const LOW = { n: -1n, d: 0n };
  const HIGH = { n: 1n, d: 0n };

  /** Negative, zero or positive as t is less than, equal to or greater than s. */
  function order(t, s) {
    const difference = t.d || s.d ? t.n * s.d - s.n * t.d : t.n - s.n;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }
  const least = (t, s) => (order(t, s) < 0 ? t : s);
  const greatest = (t, s) => (order(t, s) > 0 ? t : s);

  /** atan2 of two whole numbers of any size. */
  function angle(y, x) {
    const size = [y, x].map((n) => magnitude(n).toString(2).length);
    const excess = BigInt(Math.max(0, Math.max(...size) - 1000)); // doubles reach 2 ** 1023
    return Math.atan2(Number(y >> excess), Number(x >> excess));
  }

  // ---- wedges ------------------------------------------------------------------------------
  /** The wedges, counterclockwise from the ray (0, -1). Each has
   *  `from`, `to`: the directions of its two rays in radians,
   *  `holds`, `active`: the neurons that are on after x0 and after x1,
   *  `a0`, `a1`: coefficients in logits[1] - logits[0] = a0 x0 - a1 x1,
   *  `wrong`: the parts [from, to] in which the answer is wrong, `error`: their share of all inputs. */
  function wedges({ w_hi, w_hh, w_oh }) {
    const input = lifted([w_hi]);
    const step = lifted(w_hh);
    const read = lifted(w_oh);
    const [w] = input.whole;
    const d = w.map((_, j) => read.whole[1][j] - read.whole[0][j]);
    const neurons = w.map((_, j) => j);
    const unit = 1n << BigInt(step.digits); // t is measured in units of 1 / unit
    const size = 2 ** -(input.digits + read.digits);

    /** Direction, from -pi/2 to 3 pi/2, of the ray through (side, t). */
    function direction(side, t) {
      const found = angle(t.n, side * t.d * unit);
      return side > 0n || found > 0 ? found : found + 2 * Math.PI;
    }

    /** The angle between the rays through two points of one line. */
    function between(t, s) {
      return angle(unit * (s.n * t.d - t.n * s.d), t.d * s.d * unit * unit + t.n * s.n);
    }

    function ofHalf(side) {
      const holds = neurons.filter((i) => side * w[i] > 0n);
      const offset = neurons.map((j) => sum(holds.map((i) => step.whole[j][i] * magnitude(w[i]))));
      const switches = neurons.filter((j) => w[j] !== 0n).map((j) => fraction(-offset[j], w[j]));
      const ends = [LOW, ...switches.sort(order), HIGH];
      const found = [];
      ends.slice(1).forEach((upper, k) => {
        const lower = ends[k];
        if (order(lower, upper) === 0) return; // two neurons switch together
        const active = neurons.filter((j) => isActive(offset[j], w[j], lower, upper));
        const constant = sum(active.map((j) => d[j] * offset[j]));
        const slope = sum(active.map((j) => d[j] * w[j]));
        const intervals = wrongIntervals(side, lower, upper, constant, slope);
        const [from, to] = side > 0n ? [lower, upper] : [upper, lower];
        const sectors = intervals.map(([t, s]) => (side > 0n ? [t, s] : [s, t]));
        found.push({
          from: direction(side, from),
          to: direction(side, to),
          holds,
          active,
          a0: (Number(side * constant) * size) / Number(unit) + 0, // no minus zero
          a1: -Number(slope) * size + 0,
          wrong: sectors.map((pair) => pair.map((t) => direction(side, t))),
          error: intervals.reduce((total, [t, s]) => total + between(t, s), 0) / (2 * Math.PI),
        });
      });
      return side > 0n ? found : found.reverse();
    }

    /** Whether a neuron that receives offset + w t is on between two consecutive switches. */
    function isActive(offset, weight, lower, upper) {
      if (weight === 0n) return offset > 0n;
      const own = fraction(-offset, weight);
      return weight > 0n ? order(own, lower) <= 0 : order(own, upper) >= 0;
    }

    /** The intervals of t on which the sign of constant + slope t gives a wrong answer. */
    function wrongIntervals(side, lower, upper, constant, slope) {
      const diagonal = { n: side * unit, d: 1n }; // 1 is right below it: there x0 > x1
      let parts = [[lower, upper, constant > 0n]]; // and whether the answer is 1
      if (slope !== 0n) {
        const root = fraction(-constant, slope);
        parts = [
          [lower, least(upper, root), slope < 0n],
          [greatest(lower, root), upper, slope > 0n],
        ];
      }
      return parts
        .map(([t, s, isOne]) => (isOne ? [greatest(t, diagonal), s] : [t, least(s, diagonal)]))
        .filter(([t, s]) => order(t, s) < 0);
    }

    return [...ofHalf(1n), ...ofHalf(-1n)];
  }

  /** The error rate on standard Gaussian inputs: the share of all directions that is answered wrongly. */
  const error = (found) => found.reduce((total, wedge) => total + wedge.error, 0);

  const api = { wedges, error };
  if (typeof module === "object") module.exports = api;
  else root.algzoo = { ...root.algzoo, wedges: api };
})(globalThis);
