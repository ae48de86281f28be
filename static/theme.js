// Runs before the page is rendered, so that the chosen theme does not flash. The button is in console.js.
{
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
}
