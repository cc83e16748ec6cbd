// The keys 0, 1, 2, p and n, for those who have JavaScript; everything works without.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  document.querySelector(`[accesskey="${CSS.escape(event.key)}"]`)?.click();
});
