// Filters and pages of the document browser, and what print needs; without this script everything is shown.
(() => {
  "use strict";
  const PAGE = 25;

  const folded = document.querySelectorAll("details:not([open])");
  addEventListener("beforeprint", () => { for (const each of folded) each.open = true; });
  addEventListener("afterprint", () => { for (const each of folded) each.open = false; });

  const textOf = (article) => [article.querySelector("h3").firstChild.data,
    ...[...article.querySelectorAll(".gold, .plain")].map(
      (line) => [...line.childNodes].filter((node) => !node.matches || !node.matches("b, .same"))
        .map((node) => node.textContent).join(""))].join("\n").toLowerCase();

  for (const browser of document.querySelectorAll(".browser")) {
    const form = browser.querySelector(".filters");
    const { system, label, text, back, on } = form.elements;
    const articles = [...browser.querySelectorAll("article")];
    const keys = articles.map((article) => article.dataset.f.split(" ").map((key) => key.split(".")));
    let texts = null;
    let chosen = articles;
    let visible = new Set(articles);
    let first = 0;

    // Only what changes is touched, which keeps thousands of documents quick.
    const reveal = (wanted) => {
      for (const article of visible) article.hidden = !wanted.has(article);
      for (const article of wanted) {
        article.hidden = false;
        for (const row of article.querySelectorAll("[data-s]")) {
          row.hidden = system.value !== "" && row.dataset.s !== system.value;
        }
      }
      visible = wanted;
    };

    const show = () => {
      const last = Math.min(first + PAGE, chosen.length);
      reveal(new Set(chosen.slice(first, last)));
      form.querySelector("output").textContent = chosen.length
        ? `${first + 1}–${last} of ${chosen.length} documents` : "no document";
      back.disabled = first === 0;
      on.disabled = last === chosen.length;
    };

    const choose = () => {
      const words = text.value.trim().toLowerCase();
      const outcomes = [...form.querySelectorAll("[name=outcome]:checked")].map((box) => box.value);
      const fits = (key) => (!system.value || key[0] === system.value)
        && (!outcomes.length || outcomes.includes(key[1])) && (!label.value || key[2] === label.value);
      const asked = label.value || outcomes.length;
      if (words && !texts) texts = articles.map(textOf);
      chosen = articles.filter((_, place) => (!asked || keys[place].some(fits))
        && (!words || texts[place].includes(words)));
      first = 0;
      show();
    };

    const turn = (step) => {
      first += step * PAGE;
      show();
      browser.scrollIntoView();
    };

    // A link to a document clears filters that hide it and turns to its page.
    const follow = () => {
      const wanted = articles.find((article) => `#${article.id}` === location.hash);
      if (!wanted) return;
      if (!chosen.includes(wanted)) {
        form.reset();
        setTimeout(follow);
        return;
      }
      first = Math.floor(chosen.indexOf(wanted) / PAGE) * PAGE;
      show();
      wanted.scrollIntoView();
    };

    let waiting = 0;
    form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(choose, 80); });
    form.addEventListener("reset", () => setTimeout(choose));
    form.addEventListener("submit", (event) => event.preventDefault());
    back.addEventListener("click", () => turn(-1));
    on.addEventListener("click", () => turn(1));
    addEventListener("hashchange", follow);
    // Paper has no next page to turn to: all that the filters chose is printed.
    addEventListener("beforeprint", () => reveal(new Set(chosen)));
    addEventListener("afterprint", show);

    browser.classList.add("paged");
    form.hidden = false;
    choose();
    follow();
  }
})();
