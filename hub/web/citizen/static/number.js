// The page works without this file. With it the number can be copied and shared.
(() => {
  const copy = document.getElementById("copy");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(copy.dataset.number);
      document.getElementById("copy-status").textContent = copy.dataset.copied;
    });
  }
  const share = document.getElementById("share");
  if (share && navigator.share) {
    share.hidden = false;
    share.addEventListener("click", () => navigator.share({ text: share.dataset.text }).catch(() => {}));
  }
})();
