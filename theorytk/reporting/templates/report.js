"use strict";
(() => {
  const table = document.querySelector("main .ledger");
  const rows = [...table.tBodies[0].rows];
  const heads = [...table.tHead.rows[0].cells];
  const form = document.querySelector(".filters");
  const order = new Intl.Collator("en", { numeric: true });

  // Rows without a value stand last, whichever way the others run.
  function sort(column, sign) {
    const numeric = rows.some((row) => "sort" in row.cells[column].dataset);
    const keyed = rows.map((row) => {
      const { sort = "" } = row.cells[column].dataset;
      return { row, key: numeric ? sort && Number(sort) : row.cells[column].textContent.trim() };
    });
    keyed.sort((a, b) => {
      if (a.key === "" || b.key === "") return (a.key === "") - (b.key === "");
      return sign * (numeric ? a.key - b.key || 0 : order.compare(a.key, b.key));
    });
    table.tBodies[0].append(...keyed.map(({ row }) => row));
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      sort(column, up ? 1 : -1);
    });
  });

  // What is searched: the row as shown, and the statement of its claim.
  const card = (row) => document.getElementById(row.querySelector("a").hash.slice(1));
  const words = rows.map((row) => {
    const statement = card(row).querySelector(".statement").textContent;
    return `${row.textContent} ${statement}`.toLowerCase();
  });

  function filter() {
    const { topic, verdict, text } = form.elements;
    const sought = text.value.toLowerCase().split(/\s+/);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !(
        ["", row.dataset.topic].includes(topic.value) &&
        ["", row.dataset.verdict].includes(verdict.value) &&
        sought.every((word) => words[i].includes(word))
      );
      shown += !row.hidden;
    });
    form.querySelector("output").textContent = `${shown} of ${rows.length} claims`;
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter(); // a reload keeps what was typed

  // A formula cannot be broken: one that is wider than its place is set smaller.
  const formulas = [...document.querySelectorAll("math")];
  function fit() {
    formulas.forEach((formula) => (formula.style.fontSize = ""));
    const sizes = formulas.map((formula) => {
      let place = formula.parentElement;
      while (place.clientWidth === 0 && place !== document.body) place = place.parentElement;
      return place.clientWidth / formula.getBoundingClientRect().width;
    });
    formulas.forEach((formula, i) => {
      if (sizes[i] < 1) formula.style.fontSize = `${Math.floor(100 * sizes[i]) / 100}em`;
    });
  }
  addEventListener("resize", fit);
  fit();

  // A link to a folded claim unfolds it.
  function unfold() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) target.open = true;
  }
  addEventListener("hashchange", unfold);
  unfold();
})();
