// Product quantization of a small database in the page: the arithmetic of toys/pq_search.py, which is
// the reference, in the same order of additions. Rows are {x: Float64Array, n, dim}.
const pqMath = (() => {
  const AT = 10;
  const GROUPS = 60;

  // mulberry32 by Tommy Ettinger: words of 32 bits, the same in every language.
  function stream(seed) {
    let a = seed >>> 0;
    return () => {
      a = (a + 0x6d2b79f5) >>> 0;
      let t = Math.imul(a ^ (a >>> 15), a | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return (t ^ (t >>> 14)) >>> 0;
    };
  }

  function made(kind, seed, n = 900, dim = 64) {
    const next = stream(seed);
    const x = new Float64Array(n * dim);
    if (kind === "random") x.forEach((_, i) => (x[i] = (next() >>> 28) / 16));
    else {
      const centres = Array.from({ length: GROUPS * dim }, () => next() >>> 28);
      for (let i = 0; i < n; i++) {
        const group = next() % GROUPS;
        for (let j = 0; j < dim; j++) {
          const word = next();
          x[i * dim + j] = Math.min(16, Math.max(0, centres[group * dim + j] + (word >>> 30) - (word & 3))) / 16;
        }
      }
    }
    return { x, n, dim };
  }

  function drawnRows(n, K, seed) {
    const next = stream(seed);
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < K; i++) {
      const j = i + (next() % (n - i));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order.slice(0, K);
  }

  // One codebook of a subspace: {c: Float64Array (K d), K, d, m}.
  const startBook = ({ x, dim }, rows, m, d) => {
    const c = new Float64Array(rows.length * d);
    rows.forEach((row, k) => c.set(x.subarray(row * dim + m * d, row * dim + (m + 1) * d), k * d));
    return { c, K: rows.length, d, m };
  };

  // The nearest codeword of each row, the first of equally near ones, and the squared distance to it.
  function assign({ x, n, dim }, { c, K, d, m }) {
    const codes = new Uint16Array(n);
    const errors = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let least = Infinity;
      for (let k = 0, at = 0; k < K; k++, at += d) {
        let sum = 0;
        for (let j = 0, from = i * dim + m * d; j < d; j++) {
          const t = x[from + j] - c[at + j];
          sum += t * t;
          if (sum >= least) break; // it only grows
        }
        if (sum < least) {
          least = sum;
          codes[i] = k;
        }
      }
      errors[i] = least;
    }
    return { codes, errors };
  }

  // Each codeword to the mean of its rows; those that nobody uses to the rows that are served worst.
  function move(rows, book, { codes }) {
    const { x, n, dim } = rows;
    const { K, d, m } = book;
    const c = book.c.slice();
    const counts = new Uint32Array(K);
    const sums = new Float64Array(K * d);
    for (let i = 0; i < n; i++) {
      counts[codes[i]]++;
      for (let j = 0; j < d; j++) sums[codes[i] * d + j] += x[i * dim + m * d + j];
    }
    sums.forEach((sum, at) => { if (counts[Math.floor(at / d)]) c[at] = sum / counts[Math.floor(at / d)]; });
    const dead = [...counts.keys()].filter((k) => !counts[k]);
    if (dead.length) {
      const served = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < d; j++) {
          const t = x[i * dim + m * d + j] - c[codes[i] * d + j];
          served[i] += t * t;
        }
      }
      const worst = ranked(served.map((error) => -error)).slice(0, dead.length);
      worst.forEach((row, i) => c.set(x.subarray(row * dim + m * d, row * dim + (m + 1) * d), dead[i] * d));
    }
    return { ...book, c };
  }

  // Squared distances of row i's subvector to all codewords: a row of its lookup table.
  function tableRow(x, from, { c, K, d }) {
    const table = new Float64Array(K);
    for (let k = 0; k < K; k++) {
      let sum = 0;
      for (let j = 0; j < d; j++) {
        const t = x[from + j] - c[k * d + j];
        sum += t * t;
      }
      table[k] = sum;
    }
    return table;
  }

  const tableOf = ({ x, dim }, i, books) => books.map((book) => tableRow(x, i * dim + book.m * book.d, book));
  const tableOfCode = (code, books) => books.map((book, m) => tableRow(book.c, code[m] * book.d, book));

  function distancesFrom(table, assigned, n) {
    const sums = new Float64Array(n);
    table.forEach((row, m) => {
      const { codes } = assigned[m];
      for (let i = 0; i < n; i++) sums[i] += row[codes[i]];
    });
    return sums;
  }

  function exactFrom({ x, dim }, i, database) {
    const sums = new Float64Array(database.n);
    for (let row = 0; row < database.n; row++) {
      let sum = 0;
      for (let j = 0; j < dim; j++) {
        const t = x[i * dim + j] - database.x[row * dim + j];
        sum += t * t;
      }
      sums[row] = sum;
    }
    return sums;
  }

  // Numbers of the items, nearest first; equal distances keep their order.
  const ranked = (distances) => Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b] || a - b);

  // The chance that item `nearest` is among the first ten, equal distances in any order.
  function recall(distances, nearest) {
    let before = 0;
    let tied = 0;
    for (const distance of distances) {
      if (distance < distances[nearest]) before++;
      else if (distance === distances[nearest]) tied++;
    }
    return Math.min(1, Math.max(0, (AT - before) / tied));
  }

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  return { AT, assign, distancesFrom, drawnRows, exactFrom, made, mean, move, ranked, recall, startBook, tableOf, tableOfCode };
})();
