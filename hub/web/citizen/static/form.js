// The form works without this file. With it a phone can say where it stands, and files too large are told at once.
(() => {
  const files = document.getElementById("files");
  const wrong = document.getElementById("files-wrong");
  const tooMuch = () => files.files.length > 5 || [...files.files].some((file) => file.size > 5 * 1024 * 1024);
  const judge = () => {
    wrong.hidden = !tooMuch();
  };
  files.addEventListener("change", judge);
  files.form.addEventListener("submit", (event) => {
    judge();
    if (!tooMuch()) return;
    event.preventDefault();
    files.focus();
  });
})();

(() => {
  const button = document.getElementById("locate");
  if (!navigator.geolocation || !window.isSecureContext) return;
  const said = document.getElementById("locate-status");
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        document.getElementById("latitude").value = coords.latitude.toFixed(6);
        document.getElementById("longitude").value = coords.longitude.toFixed(6);
        button.hidden = true;
        said.textContent = button.dataset.located;
      },
      () => {
        button.disabled = false;
        said.textContent = button.dataset.failed;
      },
      { timeout: 15000 },
    );
  });
})();
