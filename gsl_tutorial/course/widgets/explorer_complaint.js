// What is wrong with the explorer's state, in words; "" where nothing is.
function explorerComplaint(state) {
  const words = WORDS.explorer;
  const { none, whole_number, something_else, press_reset, move_slider } = WORDS.page;
  const { n_candidates: n, n_codewords: K } = state;
  for (const name of ["codewords", "similar", "dissimilar", "starts"]) {
    const fault = rowsComplaint(name, state[name]);
    if (fault) return fault;
  }
  if (!state.codewords.length) return complain(words.a_codeword, none, words.pass_codewords);
  if (!state.similar.length) return complain(words.a_similar, none, words.pass_similar);
  const loss = notAmong(words.a_loss, state.loss, explorerMath.LOSSES, `'${state.loss}'`);
  if (loss) return loss;
  if (state.loss !== "pair" && !state.dissimilar.length) return complain(fill(words.a_dissimilar, state.loss), none, words.choose_pair);
  if (!isWhole(K, 1, state.codewords.length)) return complain(fill(words.K, state.codewords.length), K, words.move_K);
  if (!isWhole(n, 1)) return complain(words.n, n, words.move_n);
  for (const name of ["strength", "step", "rate"]) {
    const fault = amountComplaint(name, state[name], move_slider);
    if (fault) return fault;
  }
  const mode = notAmong(words.a_mode, state.mode, MODES, `'${state.mode}'`);
  if (mode) return mode;
  for (const [name, list] of [["form_index", FORMS], ["fallback_index", FALLBACKS]]) {
    const fault = outside(name, state[name], 0, list.length - 1, words.from_menu);
    if (fault) return fault;
  }
  const steps = outside("n_steps", state.n_steps, 1, MOST_STEPS, whole_number);
  if (steps) return steps;
  const point = state.point;
  if (!(Array.isArray(point) && point.length === 2 && point.every((x) => Number.isFinite(x)))) return complain(words.a_point, something_else, press_reset);
  return rowsComplaint("point", [point]);
}
