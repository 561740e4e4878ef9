// The work behind the playground, a little in each frame: learn, encode, search. What has been learned is
// kept, so that moving a slider back costs nothing.
//
// `ask({set, M, K, rounds, seed})` gives a result that fills up: {books, assigned} first, then `mine`, the
// codes of the queries, `recall` and the rest. `step(ms)` works on what was asked last; true when all is done.
function pqWork() {
  const kept = new Map(); // key -> {steps: for each subspace its books after each round, done: {rounds: result}}
  let jobs = [];

  function ask(wish) {
    const { set, M, K, rounds, seed } = wish;
    const key = [set.key, M, K, seed].join(" | ");
    const course = kept.get(key) ?? { steps: [], done: {} };
    kept.delete(key);
    kept.set(key, course); // the one used last comes last
    if (kept.size > 12) kept.delete(kept.keys().next().value);
    course.done[rounds] ??= { ready: false, job: work(wish, course, rounds) };
    return course.done[rounds];
  }

  function* work({ set, M, K, seed }, course, rounds) {
    const { database, queries } = set;
    const result = course.done[rounds];
    const d = database.dim / M;
    const starts = pqMath.drawnRows(database.n, K, seed);
    for (let m = 0; m < M; m++) {
      const steps = (course.steps[m] ??= [{ book: pqMath.startBook(database, starts, m, d) }]);
      for (let round = 0; round <= rounds; round++) {
        steps[round] ??= { book: pqMath.move(database, steps[round - 1].book, steps[round - 1].assigned) };
        if (!steps[round].assigned) {
          steps[round].assigned = pqMath.assign(database, steps[round].book);
          yield;
        }
      }
    }
    const books = course.steps.map((steps) => steps[rounds].book);
    const assigned = course.steps.map((steps) => steps[rounds].assigned);
    const mine = books.map((book) => pqMath.assign(queries, book));
    Object.assign(result, { books, assigned, mine });
    result.distortion = assigned.reduce((sum, one) => sum + pqMath.mean(one.errors), 0);
    result.query_distortion = mine.reduce((sum, one) => sum + pqMath.mean(one.errors), 0);
    yield;
    set.exact ??= [];
    const recall = { ADC: 0, SDC: 0, exact: 0 };
    const sums = [0, 0];
    for (let i = 0; i < queries.n; i++) {
      set.exact[i] ??= pqMath.exactFrom(queries, i, database);
      const exact = set.exact[i];
      let nearest = 0;
      exact.forEach((value, row) => { if (value < exact[nearest]) nearest = row; });
      const found = { ADC: adc(set, result, i), SDC: sdc(set, result, i), exact };
      for (const how of Object.keys(recall)) recall[how] += pqMath.recall(found[how], nearest) / queries.n;
      sums[0] += exact[nearest];
      sums[1] += pqMath.mean(exact);
      if (i % 10 === 9) yield;
    }
    Object.assign(result, { recall, contrast: sums[0] / sums[1], ready: true });
  }

  const adc = (set, { books, assigned }, i) => pqMath.distancesFrom(pqMath.tableOf(set.queries, i, books), assigned, set.database.n);
  const sdc = (set, { books, assigned, mine }, i) => pqMath.distancesFrom(pqMath.tableOfCode(mine.map(({ codes }) => codes[i]), books), assigned, set.database.n);

  const want = (results) => (jobs = results.filter((one) => !one.ready));
  function step(ms) {
    const until = performance.now() + ms;
    while (jobs.length && performance.now() < until) {
      jobs[0].job.next();
      if (jobs[0].ready) jobs.shift();
    }
    return !jobs.length;
  }

  return { adc, ask, sdc, step, want };
}
