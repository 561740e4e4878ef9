// What is wrong with the explorer's state, in words; "" where nothing is.
function explorerComplaint(state) {
  const { n_candidates: n, n_codewords: K } = state;
  for (const name of ["codewords", "similar", "dissimilar", "starts"]) {
    const fault = rowsComplaint(name, state[name]);
    if (fault) return fault;
  }
  if (!state.codewords.length) return "expected at least one codeword; got none. What to do: pass an array (K, 2).";
  if (!state.similar.length) return "expected at least one similar point; got none. What to do: pass an array (P, 2).";
  if (!explorerMath.LOSSES.includes(state.loss)) return `expected a similarity loss out of ${explorerMath.LOSSES.join(", ")}; got '${state.loss}'. What to do: choose one of them.`;
  if (state.loss !== "pair" && !state.dissimilar.length) return `expected a dissimilar point for the loss '${state.loss}'; got none. What to do: choose the loss 'pair'.`;
  if (!(Number.isInteger(K) && K >= 1 && K <= state.codewords.length)) return `expected K from 1 to ${state.codewords.length}, the codewords there are; got ${K}. What to do: move the slider of K, or give more codewords.`;
  if (!(Number.isInteger(n) && n >= 1)) return `expected n, the candidates, 1 or more; got ${n}. What to do: move the slider of n.`;
  for (const name of ["strength", "step", "rate"]) {
    if (!isAmount(state[name])) return `expected ${name} 0 or more, finite, and at most ${LARGEST}; got ${state[name]}. What to do: move its slider.`;
  }
  if (!MODES.includes(state.mode)) return `expected a mode out of ${MODES.join(", ")}; got '${state.mode}'. What to do: choose one of them.`;
  for (const [name, list] of [["form_index", FORMS], ["fallback_index", FALLBACKS]]) {
    if (!(state[name] in list)) return `expected ${name} from 0 to ${list.length - 1}; got ${state[name]}. What to do: choose from its menu.`;
  }
  if (!(Number.isInteger(state.n_steps) && state.n_steps >= 1 && state.n_steps <= MOST_STEPS)) return `expected n_steps from 1 to ${MOST_STEPS}; got ${state.n_steps}. What to do: pass a whole number.`;
  const point = state.point;
  if (!(Array.isArray(point) && point.length === 2 && point.every((x) => Number.isFinite(x)))) return "expected the point as two finite numbers; got something else. What to do: press Reset.";
  return rowsComplaint("point", [point]);
}
