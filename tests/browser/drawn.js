// Keeps what the page draws from now on: `window.drawn` gets one record for each drawing of the overlay.
// The boxes are read from the canvas' pixels, the number of the camera's frame from the marks in the video.
(marks) => {
  const video = document.getElementById("video");
  const overlay = document.getElementById("overlay");
  const small = new OffscreenCanvas(marks.count * marks.size, marks.size);
  const reader = small.getContext("2d", { willReadFrequently: true });

  const frameNumber = () => {
    reader.drawImage(video, 0, marks.top, small.width, marks.size, 0, 0, small.width, marks.size);
    const { data } = reader.getImageData(0, marks.size / 2, small.width, 1);
    let number = 0;
    for (let bit = 0; bit < marks.count; bit += 1) {
      if (data[4 * (bit * marks.size + marks.size / 2)] > 128) number += 2 ** bit;
    }
    return number;
  };

  // How many pixels from the center of a line to the first one of this colour, in either direction.
  const reach = (line, center, colour) => {
    const hit = (at) => [0, 1, 2].every((c) => Math.abs(line.data[4 * at + c] - colour[c]) < 12) && line.data[4 * at + 3] > 240;
    const length = line.width * line.height;
    let before = center;
    while (before >= 0 && !hit(before)) before -= 1;
    let after = center;
    while (after < length && !hit(after)) after += 1;
    return before < 0 || after >= length ? null : [before, after];
  };

  // The inner edges of the box around a point of the canvas, [left, top, right, bottom], or null.
  const edges = ([x, y, width, height], hex) => {
    const context = overlay.getContext("2d");
    const colour = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const [across, down] = [x + width / 2, y + height / 2].map((v) => Math.round(v * devicePixelRatio));
    if (across < 0 || down < 0 || across >= overlay.width || down >= overlay.height) return null;
    const row = reach(context.getImageData(0, down, overlay.width, 1), across, colour);
    const column = reach(context.getImageData(across, 0, 1, overlay.height), down, colour);
    return row && column && [row[0], column[0], row[1], column[1]];
  };

  window.drawn = [];
  overlay.addEventListener("mien:drawn", ({ detail }) => {
    const scale = video.videoWidth / overlay.width;
    const faces = detail.faces.map((face) => {
      const found = edges(face.drawn_box, face.colour);
      if (!found) return { ...face, measured: null };
      const [left, top, right, bottom] = found.map((value) => value * scale);
      const x = detail.mirrored ? video.videoWidth - right : left;
      return { ...face, measured: [x, top, right - left, bottom - top] };
    });
    window.drawn.push({ frame: frameNumber(), time_ms: detail.time_ms, mirrored: detail.mirrored, faces });
  });
}
