// Fills every part of the page from its source, one after the other, and again every ten seconds.
const EVERY = 10_000;

async function fill(part) {
  try {
    const answer = await fetch(part.dataset.source);
    const text = await answer.text();
    if (answer.ok) part.innerHTML = text;
    else part.textContent = text;
    part.classList.toggle("stale", !answer.ok);
  } catch {
    part.classList.add("stale");
  }
}

async function redraw() {
  const open = new Set([...document.querySelectorAll("details[open]")].map((d) => d.previousSibling?.textContent));
  for (const part of document.querySelectorAll("[data-source]")) await fill(part);
  for (const d of document.querySelectorAll("details")) d.open = open.has(d.previousSibling?.textContent);
  const now = new Date();
  document.getElementById("updated").textContent = `${now.toISOString().slice(11, 19)} UTC`;
  setTimeout(redraw, EVERY);
}

redraw();
