// A picture that Python draws: the page keeps those it was given, and shows one again without asking.
//
// `controls` names the models of the sliders and menus that the picture belongs to, and each picture comes
// with the `key` of what they said: their values as JSON. So when a control moves, the page looks among its
// own first. What it has not got comes from Python a moment later.
const KEPT = 100; // as many as Python keeps

function render({ model, el }) {
  const image = document.createElement("img");
  image.className = "gsl-drawing";
  image.style.maxWidth = "100%";
  el.append(image);
  const drawn = new Map(); // key -> {address, alt}
  let controls = [];
  const now = () => JSON.stringify(controls.map((one) => one.get("index") ?? one.get("value")));

  function keep(key, bytes, alt) {
    const old = drawn.get(key);
    if (old) { // the same picture: its address stays, so that nothing flickers
      old.alt = alt;
      return;
    }
    drawn.set(key, { address: URL.createObjectURL(new Blob([bytes], { type: "image/png" })), alt });
    if (drawn.size <= KEPT) return;
    const [first, { address }] = drawn.entries().next().value;
    drawn.delete(first);
    URL.revokeObjectURL(address);
  }
  function show(key) {
    const { address, alt } = drawn.get(key) ?? {};
    if (!address) return false;
    if (image.src !== address) image.src = address;
    image.alt = alt;
    return true;
  }

  const told = () => {
    keep(model.get("key"), model.get("value"), model.get("alt"));
    if (!show(now())) show(model.get("key"));
  };
  const look = () => show(now());
  const foreseen = ({ key, alt }, [bytes]) => {
    keep(key, bytes, alt);
    look();
  };
  told();
  model.on("change:told", told);
  model.on("msg:custom", foreseen);
  const changes = "change:value change:index";
  Promise.all((model.get("controls") ?? []).map((id) => model.widget_manager.get_model(id)))
    .then((found) => {
      controls = found;
      for (const one of controls) one.on(changes, look);
    })
    .catch(() => {}); // without its controls, as in a saved notebook, the picture just stands there
  return () => {
    model.off("change:told", told);
    model.off("msg:custom", foreseen);
    for (const one of controls) one.off(changes, look);
    for (const { address } of drawn.values()) URL.revokeObjectURL(address);
  };
}
export default { render };
