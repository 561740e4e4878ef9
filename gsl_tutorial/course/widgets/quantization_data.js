// Where the playground's vectors come from: sent along, made here from a seed, or a file of the reader's
// own, which is read in the page and goes nowhere. A set is {key, database, queries}, both rows of numbers.
const pqData = (() => {
  const ROWS = 900;
  const MOST_BYTES = 50e6;
  const [LEAST_ROWS, MOST_NUMBERS] = [20, 1024];
  const words = WORDS.quantization;
  const refuse = (...parts) => { throw new Error(complain(...parts)); };
  const grouped = (n) => n.toLocaleString("en");

  // {bytes: base64, n, dim, scale}: numbers of one byte each, times the scale; or of four, without a scale.
  function unpack({ bytes, n, dim, scale }) {
    const raw = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
    const x = Float64Array.from(scale ? raw : new Float32Array(raw.buffer));
    if (scale) x.forEach((value, i) => (x[i] = value * scale));
    return { x, n, dim };
  }

  const part = ({ x, dim }, from, to) => ({ x: x.slice(from * dim, to * dim), n: to - from, dim });
  const halves = (key, rows, nQueries) => ({ key, database: part(rows, 0, rows.n - nQueries), queries: part(rows, rows.n - nQueries, rows.n) });

  // Made vectors are as long as those sent along.
  const made = (kind, seed) => halves(`${kind} ${seed}`, pqMath.made(kind, seed), 100);

  // ---- a file of the reader's own ----

  const TYPES = { "<f4": "Float32", "<f8": "Float64", "|u1": "Uint8", "|i1": "Int8", "<u2": "Uint16", "<i2": "Int16", "<u4": "Uint32", "<i4": "Int32", "<i8": "BigInt64", "<u8": "BigUint64" };

  async function read(file) {
    if (file.size > MOST_BYTES) refuse(fill(words.a_small_file, MOST_BYTES / 1e6), `${grouped(Math.round(file.size / 1e6))} MB`, words.take_part);
    const buffer = await file.arrayBuffer();
    const npy = new Uint8Array(buffer.slice(0, 6)).join() === "147,78,85,77,80,89";
    const { total, rows } = npy ? fromNpy(buffer) : fromText(new TextDecoder().decode(buffer));
    const dim = rows[0]?.length ?? 0;
    if (total < LEAST_ROWS || dim < 2 || dim > MOST_NUMBERS) refuse(fill(words.a_table, LEAST_ROWS, MOST_NUMBERS), `${grouped(total)} × ${grouped(dim)}`, words.rows_are_vectors);
    const x = new Float64Array(rows.length * dim);
    rows.forEach((row, i) => {
      if (row.length !== dim) refuse(fill(words.equal_rows, dim), fill(words.in_row, row.length, i + 1), words.mend);
      row.forEach((value, j) => {
        if (!Number.isFinite(value)) refuse(words.finite, fill(words.in_row, Number.isNaN(value) ? "NaN" : value, i + 1), words.mend);
        x[i * dim + j] = value;
      });
    });
    const set = halves(`own-${file.name}-${file.size}-${file.lastModified}`, mixed({ x, n: rows.length, dim }), Math.max(1, Math.floor(rows.length / 9)));
    return { ...set, name: file.name, total, used: rows.length };
  }

  // At most so many rows, evenly over the file.
  const chosen = (total) => {
    const n = Math.min(total, ROWS);
    return Array.from({ length: n }, (_, i) => Math.floor((i * total) / n));
  };

  // In any order: files are often sorted, and the queries should be like the rest.
  function mixed(rows) {
    const x = new Float64Array(rows.x.length);
    pqMath.drawnRows(rows.n, rows.n, 0).forEach((row, i) => x.set(rows.x.subarray(row * rows.dim, (row + 1) * rows.dim), i * rows.dim));
    return { ...rows, x };
  }

  function fromText(text) {
    const lines = text.split(/\r?\n/).filter((line) => line.trim());
    const numbersOf = (line) => line.trim().split(/[,;\t ]+/).map((one) => (one === "" ? NaN : Number(one)));
    if (lines.length && numbersOf(lines[0]).every(Number.isNaN)) lines.shift(); // a row of names
    const rows = chosen(lines.length).map((at) => {
      const row = numbersOf(lines[at]);
      const bad = row.findIndex(Number.isNaN);
      if (bad >= 0) refuse(words.numbers, fill(words.in_row, `'${lines[at].trim().split(/[,;\t ]+/)[bad].slice(0, 20)}'`, at + 1), words.mend);
      return row;
    });
    return { total: lines.length, rows };
  }

  function fromNpy(buffer) {
    const view = new DataView(buffer);
    const long = buffer.byteLength > 12 && view.getUint8(6) > 1;
    const start = long ? 12 : 10;
    const size = buffer.byteLength < start ? 0 : long ? view.getUint32(8, true) : view.getUint16(8, true);
    const header = new TextDecoder().decode(buffer.slice(start, start + size));
    const type = TYPES[header.match(/'descr': '([^']*)'/)?.[1]];
    const shape = header.match(/'shape': \(([^)]*)\)/)?.[1].split(",").map((one) => one.trim()).filter(Boolean).map(Number) ?? [];
    if (!type || !/'fortran_order': False/.test(header) || shape.length !== 2) refuse(words.npy, header.trim().slice(0, 90) || words.half_a_file, words.save_again);
    const Values = globalThis[`${type}Array`];
    const [n, dim] = shape;
    if (buffer.byteLength < start + size + n * dim * Values.BYTES_PER_ELEMENT) refuse(words.npy, words.half_a_file, words.save_again);
    if (dim > MOST_NUMBERS) return { total: n, rows: [new Array(dim)] }; // refused by its caller
    const width = dim * Values.BYTES_PER_ELEMENT;
    return { total: n, rows: chosen(n).map((at) => Array.from(new Values(buffer.slice(start + size + at * width, start + size + (at + 1) * width)), Number)) };
  }

  return { halves, made, read, unpack };
})();
