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
    const entry = (m, from) => {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += (space.books[from + j] - vector[m * d + j]) ** 2;
      return sum;
    };
    return Array.from({ length: M }, (_, m) => Array.from({ length: K }, (_, k) => entry(m, (m * K + k) * d)));
  }

  const inOrder = (values, among = () => true) => [...values.keys()].filter(among).sort((a, b) => values[a] - values[b] || a - b);
  const codeOf = ({ codes }, i) => [...codes.subarray(i * M, (i + 1) * M)];
  const sumOf = (table, code) => code.reduce((sum, k, m) => sum + table[m][k], 0);

  // The photographs nearest to what the table was made of: their numbers and distances.
  function nearest(space, table, n) {
    const { codes } = space;
    const distances = Float64Array.from({ length: codes.length / M }, (_, i) => {
      let sum = 0;
      for (let m = 0; m < M; m++) sum += table[m][codes[i * M + m]];
      return sum;
    });
    const last = distances.slice().sort()[n - 1] ?? Infinity; // what is farther is not put in order
    return inOrder(distances, (i) => distances[i] <= last).slice(0, n).map((item) => ({ item, distance: distances[item] }));
  }

  return { M, K, d, unpack, codeword, vectorOf, tableOf, inOrder, codeOf, sumOf, nearest };
})();
