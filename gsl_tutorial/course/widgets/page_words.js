// What a widget says: words of `page_words.json`, filled in, and what is wrong, in the house's form.
const fill = (text, ...values) => text.replace(/\{(\d)\}/g, (_, i) => values[i]);
const complain = (expected, got, todo) => fill(WORDS.page.complaint, expected, got, todo);
const quoted = (text) => `'${String(text).slice(0, 60)}'`;

// Complaints that many widgets have; "" where nothing is wrong.
const isWhole = (value, low, high = Infinity) => Number.isInteger(value) && value >= low && value <= high;
const outside = (name, value, low, high, todo) =>
  isWhole(value, low, high) ? "" : complain(fill(WORDS.page.from_to, name, low, high), value, todo);
const notAmong = (name, value, names, shown = value) =>
  names.includes(value) ? "" : complain(fill(WORDS.page.out_of, name, names.join(", ")), shown, WORDS.page.choose_one);
function codeComplaint(code, M, K) {
  if (code === null || (Array.isArray(code) && code.length === M && code.every((one) => isWhole(one, 0, K - 1)))) return "";
  return complain(fill(WORDS.page.a_code, M, K - 1), String(code), WORDS.page.reset_or_choose);
}
