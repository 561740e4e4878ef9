// A search by four bytes in the page: the arithmetic of four_bytes.py, which is the reference.
//
// A space is {z, books, codes}: the queries' embeddings, all codewords (M K d numbers in a row), and the
// codes of the photographs (N M bytes in a row).
const bytesMath = (() => {
  const [M, K, d] = [4, 256, 8];
  const raw = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  function unpack({ z, codewords, low, step, codes }) {
    return { z, books: Float64Array.from(new Uint16Array(raw(codewords).buffer), (one) => low + step * one), codes: raw(codes) };
  }

  const codeword = ({ books }, m, k) => books.subarray((m * K + k) * d, (m * K + k + 1) * d);
  const vectorOf = (space, code) => code.flatMap((k, m) => [...codeword(space, m, k)]);

  // Squared distances from the subvectors of a vector to all codewords: the lookup table, M rows of K.
  function tableOf(space, vector) {
    return Array.from({ length: M }, (_, m) => Array.from({ length: K }, (_, k) =>
      codeword(space, m, k).reduce((sum, value, j) => sum + (value - vector[m * d + j]) ** 2, 0)));
  }

  const inOrder = (values) => Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b] || a - b);
  const codeOf = ({ codes }, i) => [...codes.subarray(i * M, (i + 1) * M)];
  const sumOf = (table, code) => code.reduce((sum, k, m) => sum + table[m][k], 0);

  // The photographs nearest to what the table was made of: their numbers and distances.
  function nearest(space, table, n) {
    const distances = Array.from({ length: space.codes.length / M }, (_, i) => table.reduce((sum, entries, m) => sum + entries[space.codes[i * M + m]], 0));
    return inOrder(distances).slice(0, n).map((item) => ({ item, distance: distances[item] }));
  }

  return { M, K, d, unpack, codeword, vectorOf, tableOf, inOrder, codeOf, sumOf, nearest };
})();
