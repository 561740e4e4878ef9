// Arrow keys in a group of radio buttons, of which one is in the order of Tab: `next(key, i, n)` says where a
// key leads from the i-th of n, or nothing.
function arrowKeys(group, buttons, next, choose) {
  group.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const all = buttons();
    const from = all.indexOf(document.activeElement);
    const to = from < 0 ? undefined : next(event.key, from, all.length);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(to);
    all[to].focus();
  });
}
const roundAbout = (key, i, n) => {
  const [on, back] = [(i + 1) % n, (i + n - 1) % n];
  return { ArrowRight: on, ArrowDown: on, ArrowLeft: back, ArrowUp: back, Home: 0, End: n - 1 }[key];
};
