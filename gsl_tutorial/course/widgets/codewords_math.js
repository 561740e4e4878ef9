// k-means in the page, one half-step at a time. Mirrors clustering.kmeans_steps, which is the
// reference; tests/test_codewords.py runs both and compares.
const kmeansMath = (() => {
  const { along, nearest, squaredDistance, times } = vectors;

  const assign = (points, codewords) => points.map((z) => nearest(codewords, z));

  const distortion = (points, codewords, assignment) =>
    points.reduce((sum, z, i) => sum + squaredDistance(z, codewords[assignment[i]]), 0) / points.length;

  // Each codeword goes to the mean of its points; one without points stays.
  function move(points, codewords, assignment) {
    const sums = codewords.map(() => [0, 0]);
    const counts = codewords.map(() => 0);
    points.forEach((z, i) => {
      sums[assignment[i]] = along(sums[assignment[i]], 1, z);
      counts[assignment[i]]++;
    });
    return codewords.map((c, k) => (counts[k] ? times(1 / counts[k], sums[k]) : c));
  }

  // Half-steps {kind, codewords, assignment, distortion}: assign, move, assign, ... until no point
  // changes its codeword; `still` says whether that came within the rounds.
  function halfSteps(points, start, rounds) {
    const steps = [];
    let still = false;
    const add = (kind, codewords, assignment) =>
      steps.push({ kind, codewords, assignment, distortion: distortion(points, codewords, assignment) });
    let codewords = start;
    let assignment = assign(points, codewords);
    add("assign", codewords, assignment);
    for (let round = 0; round < rounds && !still; round++) {
      codewords = move(points, codewords, assignment);
      add("move", codewords, assignment);
      const old = assignment;
      assignment = assign(points, codewords);
      add("assign", codewords, assignment);
      still = assignment.every((k, i) => k === old[i]);
    }
    return { steps, still };
  }

  return { assign, distortion, halfSteps, move };
})();
