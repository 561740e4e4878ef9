// The plane with turns, computed in the page. Mirrors toys/plane_turns.py, which is the reference;
// tests/test_turns_explorer.py runs both on many worlds and compares.
const turnsMath = (() => {
  const { minus, dot, squaredDistance } = vectors;
  const { assign, halfSteps, move } = kmeansMath;
  const FIRST_ROUNDS = 10;
  const FAR = 1e-4;

  // Point i belongs to class i modulo the number of classes.
  const classOf = (i, positives) => i % positives.length;

  // The codewords before the first step: k-means from the first K points. They are kept: both methods begin
  // there, wherever the positives are dragged.
  let first = {};
  function firstCodewords(starts, K) {
    if (first.starts !== starts || first.K !== K) first = { starts, K, codewords: halfSteps(starts, starts.slice(0, K), FIRST_ROUNDS).steps.pop().codewords };
    return first.codewords;
  }

  // One round of k-means. With `reseed`, codewords without points move to the points that are farthest
  // from their own codewords, as far as there are such points.
  function round(points, codewords, reseed) {
    let cells = assign(points, codewords);
    const used = new Set(cells);
    if (reseed && used.size < codewords.length) {
      const away = points.map((z, i) => squaredDistance(z, codewords[cells[i]]));
      const far = points.map((_, i) => i).filter((i) => away[i] > FAR).sort((i, j) => away[j] - away[i] || i - j);
      codewords = codewords.map((c, k) => (used.has(k) || !far.length ? c : points[far.shift()]));
      cells = assign(points, codewords);
    }
    return move(points, codewords, cells);
  }

  // Where everything stood: {points, codewords} of each moment, made as far as they are asked for.
  function course({ starts, positives, K, every, rate, reseed }, method, rule) {
    const moments = [{ points: starts, codewords: firstCodewords(starts, K) }];
    const worlds = (codewords) =>
      positives.map((positive) => ({ codewords, similar: [positive], dissimilar: [], loss: "pair" }));
    return function at(t) {
      while (moments.length <= t) {
        const { points, codewords } = moments[moments.length - 1];
        const world = worlds(codewords);
        const moved = points.map((z, i) => explorerMath.stepAll(world[classOf(i, positives)], [z], method, rule, rate)[0]);
        const theirTurn = moments.length % every === 0;
        moments.push({ points: moved, codewords: theirTurn ? round(moved, codewords, reseed) : codewords });
      }
      return moments[t];
    };
  }

  // Purity, loss and distortion of a moment, and the codewords whose cells hold more than one class.
  function standing({ points, codewords }, positives) {
    const cells = assign(points, codewords);
    const counts = codewords.map(() => positives.map(() => 0));
    let loss = 0;
    let distortion = 0;
    points.forEach((z, i) => {
      const away = minus(z, positives[classOf(i, positives)]);
      counts[cells[i]][classOf(i, positives)]++;
      loss += 0.5 * dot(away, away);
      distortion += squaredDistance(z, codewords[cells[i]]);
    });
    const N = points.length;
    return {
      purity: counts.reduce((sum, row) => sum + Math.max(...row), 0) / N,
      loss: loss / N,
      distortion: distortion / N,
      mixed: counts.flatMap((row, k) => (row.filter((n) => n).length > 1 ? [k] : [])),
    };
  }

  return { classOf, course, firstCodewords, standing };
})();
