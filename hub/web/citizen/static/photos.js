// Photos are made smaller before they are sent: one of a phone has ten times as many pixels as anybody needs to see a hole
// in a road. Without this file they are sent as they are.
async function smallerPhoto(file, longestSide) {
  if (!/^image\/(jpeg|png|webp)$/.test(file.type) || file.size < 400_000) return file;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, longestSide / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const small = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
    if (!small || small.size >= file.size) return file;
    return new File([small], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" });
  } catch {
    return file;
  }
}

document.querySelectorAll("input[type=file][data-longest]").forEach((input) => {
  input.addEventListener("change", async () => {
    const button = input.form.querySelector("button");
    button.disabled = true;
    try {
      const files = await Promise.all([...input.files].map((file) => smallerPhoto(file, Number(input.dataset.longest))));
      const transfer = new DataTransfer(); // older browsers have none: the photos go as they are
      files.forEach((file) => transfer.items.add(file));
      input.files = transfer.files;
    } finally {
      button.disabled = false;
    }
  });
});
