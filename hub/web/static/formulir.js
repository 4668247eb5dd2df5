// The form works without this file; with it a phone can say where it stands.
(() => {
  const button = document.getElementById("locate");
  if (!button || !navigator.geolocation) return;
  const said = document.getElementById("locate-said");
  const tell = (words) => {
    said.textContent = words;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        document.getElementById("latitude").value = coords.latitude.toFixed(6);
        document.getElementById("longitude").value = coords.longitude.toFixed(6);
        button.hidden = true;
        tell(button.dataset.located);
      },
      () => {
        button.disabled = false;
        tell(button.dataset.failed);
      },
      { timeout: 15000 },
    );
  });
})();
