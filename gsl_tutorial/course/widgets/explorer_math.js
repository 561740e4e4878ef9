// The maths of the explorer, computed in the page: no drawing, no state, no network.
//
// Each function mirrors one in Python, which is the reference: plane_losses.py, plane_methods.py,
// gsl_tutorial/snapping/by_hand.py. tests/test_explorer.py runs both on random worlds and compares to 1e-6.
// A world is {codewords, similar, dissimilar, loss}: lists of [x, y] and the name of a similarity loss.
// A rule is {n, strength, form, length, fallback, step}, as in plane_methods.Rule.
const explorerMath = (() => {
  const MARGIN = 0.8;
  const KERNEL = 0.4;
  const BEFORE_FLAT = 1 - 1e-3;
  const TINY = 1e-9;
  const LOSSES = ["two-class", "triplet", "pair"];
  const METHODS = ["similarity", "penalty", "straight-through", "rotation", "snap"];

  const { along, dot, length, minus, nearest, squaredDistance, times, unit } = vectors;

  // ---- similarity losses: plane_losses.LossPlane ----

  function votes(z, data) {
    const exponents = data.map((x) => -squaredDistance(z, x) / (2 * KERNEL * KERNEL));
    const largest = Math.max(...exponents);
    let sum = 0;
    let centre = [0, 0];
    exponents.forEach((exponent, i) => {
      const vote = Math.exp(exponent - largest);
      sum += vote;
      centre = along(centre, vote, data[i]);
    });
    return { log: largest + Math.log(sum), centre: times(1 / sum, centre) };
  }

  function loss(world, z) {
    if (world.loss === "two-class") {
      const everyone = world.similar.concat(world.dissimilar);
      return votes(z, everyone).log - votes(z, world.similar).log;
    }
    const near = length(minus(z, world.similar[0]));
    const stranger = world.dissimilar[0];
    const far = stranger ? length(minus(z, stranger)) : Infinity;
    if (world.loss === "triplet") return Math.max(0, near - far + MARGIN);
    return 0.5 * near * near + 0.5 * Math.max(0, MARGIN - far) ** 2;
  }

  function gradient(world, z) {
    if (world.loss === "two-class") {
      const everyone = votes(z, world.similar.concat(world.dissimilar)).centre;
      return times(1 / (KERNEL * KERNEL), minus(everyone, votes(z, world.similar).centre));
    }
    const towards = minus(z, world.similar[0]);
    const stranger = world.dissimilar[0];
    if (world.loss === "triplet") {
      return loss(world, z) > 0 ? minus(unit(towards), unit(minus(z, stranger))) : [0, 0];
    }
    if (!stranger) return towards;
    const away = minus(z, stranger);
    return along(towards, -Math.max(0, MARGIN - length(away)), unit(away));
  }

  // ---- codewords ----

  // Places of the n nearest, nearest first; equal distances keep their order, as numpy's stable sort.
  function candidates(codewords, z, n) {
    const squared = codewords.map((c) => squaredDistance(z, c));
    const order = squared.map((_, i) => i).sort((i, j) => squared[i] - squared[j] || i - j);
    return order.slice(0, n);
  }

  // ---- the snapping rule: snap_gradient_numpy of snapping/by_hand.py, for a batch of one ----

  // Place in `places` of the best aligned codeword, or null where none descends.
  function descending(g, z, places) {
    const size = length(g);
    let best = null;
    let bestCosine = 0;
    places.forEach((c, i) => {
      const direction = minus(c, z);
      const distance = length(direction);
      if (distance === 0 || size === 0) return;
      const cosine = -dot(g, direction) / (distance * size);
      if (cosine > bestCosine) {
        best = i;
        bestCosine = cosine;
      }
    });
    return best;
  }

  // {gradient, chosen}: chosen is a place in `places`, null where the fallback decided.
  function snap(g, z, places, rule) {
    const pull = 2 * rule.strength;
    if (rule.form === "look-ahead") {
      const chosen = nearest(places, along(z, -rule.step, g));
      return { gradient: along(g, pull, minus(z, places[chosen])), chosen };
    }
    const chosen = descending(g, z, places);
    if (chosen === null) return { gradient: fallback(g, z, places, rule, pull), chosen };
    const away = minus(z, places[chosen]);
    if (rule.form === "pull") return { gradient: along(g, pull, away), chosen };
    const u = unit(away);
    return { gradient: times(rule.length === "full" ? length(g) : dot(u, g), u), chosen };
  }

  function fallback(g, z, places, rule, pull) {
    if (rule.fallback === "zero") return rule.form === "replace" ? [0, 0] : g;
    if (rule.fallback === "keep") return g;
    const towards = times(pull, minus(z, places[nearest(places, z)]));
    const against = -dot(towards, g);
    const room = BEFORE_FLAT * dot(g, g);
    return along(g, against > room ? room / against : 1, towards);
  }

  // ---- all methods: plane_methods.method_gradient ----

  function snapAt(world, z, rule) {
    const order = candidates(world.codewords, z, rule.n);
    const places = order.map((i) => world.codewords[i]);
    const snapped = snap(gradient(world, z), z, places, rule);
    const chosen = snapped.chosen === null ? null : order[snapped.chosen];
    return { gradient: snapped.gradient, candidates: order, chosen };
  }

  function methodGradient(world, z, method, rule) {
    if (method === "similarity") return gradient(world, z);
    if (method === "snap") return snapAt(world, z, rule).gradient;
    const q = world.codewords[nearest(world.codewords, z)];
    const pulled = times(2 * rule.strength, minus(z, q));
    if (method === "penalty") return along(gradient(world, z), 1, pulled);
    const carried = gradient(world, q);
    return along(method === "rotation" ? rotatedBack(carried, z, q) : carried, 1, pulled);
  }

  // scale R^T gradient, where scale R turns z into q; see plane_methods._rotated_back.
  function rotatedBack(g, z, q) {
    const squared = dot(z, z);
    if (squared === 0) return g;
    const cos = dot(z, q) / squared;
    const sin = (z[0] * q[1] - z[1] * q[0]) / squared;
    return [cos * g[0] + sin * g[1], cos * g[1] - sin * g[0]];
  }

  const stepAll = (world, points, method, rule, rate) =>
    points.map((z) => along(z, -rate, methodGradient(world, z, method, rule)));

  function means(world, points) {
    let sums = [0, 0, 0];
    for (const z of points) {
      const q = world.codewords[nearest(world.codewords, z)];
      sums = [sums[0] + loss(world, z), sums[1] + loss(world, q), sums[2] + squaredDistance(z, q)];
    }
    const [meanLoss, codeLoss, distortion] = sums.map((sum) => sum / points.length);
    return { loss: meanLoss, code_loss: codeLoss, distortion };
  }

  // ---- what is read off one point: plane_methods.read_out ----

  function cosine(a, b) {
    const lengths = length(a) * length(b);
    return lengths > 0 ? dot(a, b) / lengths : 0;
  }

  function verdict(a, g) {
    if (length(a) < TINY) return "stays";
    const value = dot(a, g);
    if (length(g) < TINY || Math.abs(value) < TINY) return "level";
    return value > 0 ? "downhill" : "UPHILL";
  }

  function readOut(world, z, rule) {
    const g = gradient(world, z);
    const penalty = methodGradient(world, z, "penalty", rule);
    const snapped = snapAt(world, z, rule);
    const closest = snapped.candidates[0];
    const to = (i) => length(minus(z, world.codewords[i]));
    return {
      loss: loss(world, z),
      penalty_cosine: cosine(penalty, g),
      penalty_verdict: verdict(penalty, g),
      snapped_cosine: cosine(snapped.gradient, g),
      snapped_verdict: verdict(snapped.gradient, g),
      nearest: closest,
      distance: to(closest),
      chosen: snapped.chosen,
      chosen_distance: snapped.chosen === null ? null : to(snapped.chosen),
    };
  }

  return {
    LOSSES, METHODS, candidates, gradient, loss, means, methodGradient, readOut, snap, snapAt, stepAll, verdict,
  };
})();
