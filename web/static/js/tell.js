// tell shows a sentence at the lower edge for a while and has it read out.
let place;

export function tell(text, ways = []) {
  if (!place) {
    place = document.createElement("div");
    place.className = "toast";
    place.setAttribute("role", "status");
    document.body.append(place);
  }
  const line = document.createElement("p");
  line.textContent = text;
  line.append(...ways);
  place.replaceChildren(line);
  clearTimeout(place.timer);
  place.timer = setTimeout(() => place.replaceChildren(), ways.length > 0 ? 30000 : 8000);
}

// show puts a part of a page there, until it is closed by what is done with it.
export function show(part) {
  tell("");
  clearTimeout(place.timer);
  place.replaceChildren(part);
}

export function close() {
  place?.replaceChildren();
}
