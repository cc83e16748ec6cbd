// Suggestions under the search field: the ARIA combobox with a list. Without this file the field is a plain one.

const field = document.querySelector("[data-complete]");
const list = document.createElement("ul");
const told = document.createElement("p");
let asked = new AbortController();
let waiting = 0;

list.id = "suggestions";
list.className = "suggestions";
list.hidden = true;
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", field.dataset.list);
told.className = "unseen";
told.setAttribute("role", "status");
field.parentElement.append(list, told);
for (const [name, value] of Object.entries({
  role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
})) field.setAttribute(name, value);

function close() {
  clearTimeout(waiting);
  asked.abort();
  list.hidden = true;
  list.replaceChildren();
  told.textContent = "";
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}

function show(completions) {
  close();
  if (!completions.length) return;
  list.replaceChildren(...completions.map(option));
  list.hidden = false;
  field.setAttribute("aria-expanded", "true");
  told.textContent = field.dataset.count.replace("#", completions.length);
}

function option({ text, kind, id, language, label }, number) {
  const item = document.createElement("li");
  const words = document.createElement("span");
  item.id = `suggestion-${number}`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  words.textContent = text;
  if (language !== "any") words.lang = language === "sv_da" ? "sv" : language;
  item.append(words);
  if (label.toLowerCase() !== text.toLowerCase()) {
    const note = document.createElement("small");
    note.textContent = label;
    item.append(" ", note);
  }
  item.addEventListener("pointerdown", (event) => event.preventDefault());
  item.addEventListener("click", () => choose(item));
  Object.assign(item.dataset, { text, kind, id });
  return item;
}

function choose({ dataset }) {
  close();
  if (dataset.kind === "study") {
    location.assign(`/studier/${encodeURIComponent(dataset.id)}`);
  } else {
    field.value = dataset.text;
    field.form.requestSubmit();
  }
}

function move(step) {
  const items = [...list.children];
  const now = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  const next = (now + step + items.length + (now < 0 && step < 0 ? 1 : 0)) % items.length;
  items.forEach((item, number) => item.setAttribute("aria-selected", String(number === next)));
  items[next].scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", items[next].id);
}

async function ask() {
  asked = new AbortController();
  const address = new URL(field.dataset.complete, location.href);
  address.search = new URLSearchParams({ q: field.value, language: field.dataset.language });
  try {
    const answer = await fetch(address, { signal: asked.signal });
    if (answer.ok && document.activeElement === field) show((await answer.json()).completions);
  } catch (error) {
    if (error.name !== "AbortError") close();
  }
}

field.addEventListener("input", () => {
  clearTimeout(waiting);
  asked.abort();
  if (field.value.trim().length < 2) close();
  else waiting = setTimeout(ask, 120);
});
field.addEventListener("keydown", (event) => {
  if (list.hidden || event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Escape") {
    event.preventDefault();
    close();
  } else if (event.key === "Enter") {
    const item = list.querySelector("[aria-selected=true]");
    if (item) {
      event.preventDefault();
      choose(item);
    }
  }
});
field.addEventListener("blur", close);
