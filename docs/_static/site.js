// Names for readers of screens that the theme leaves out, or that differ from what is shown.
addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".search-button-field").forEach((button) => {
    button.setAttribute("aria-label", button.textContent.replace(/\s+/g, " ").trim());
  });
  document.querySelectorAll("summary:has(> .toctree-toggle)").forEach((toggle) => {
    toggle.setAttribute("aria-label", "Pages below this one");
  });
});
