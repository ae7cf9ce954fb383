// tell shows a sentence at the lower edge for a while and has it read out.
const place = document.createElement("div"); // there from the start: what comes into it is read out
place.className = "toast";
place.setAttribute("role", "status");
document.body.append(place);

export function tell(text, ways = []) {
  const line = document.createElement("p");
  line.textContent = text;
  line.append(...ways);
  place.replaceChildren(line);
  clearTimeout(place.timer);
  place.timer = setTimeout(() => place.replaceChildren(), ways.length > 0 ? 30000 : 8000);
}

// show puts a part of a page there, until it is closed by what is done with it.
export function show(part) {
  clearTimeout(place.timer);
  place.replaceChildren(part);
}

export function close() {
  place.replaceChildren();
}
