import { readdir, readFile, writeFile } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import locales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Lay a compressed copy beside every text file, so that the gateway compresses nothing while it serves. */
function compressed(folder: string): Plugin {
  return {
    name: "compressed",
    apply: "build",
    async closeBundle() {
      const found = await readdir(folder, { recursive: true });
      for (const name of found.filter((one) => /\.(js|css|svg|html)$/.test(one))) {
        const text = await readFile(`${folder}/${name}`);
        await writeFile(`${folder}/${name}.gz`, gzipSync(text, { level: 9 }));
        await writeFile(`${folder}/${name}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
      }
    },
  };
}

function link(attrs: Record<string, string>) {
  return { tag: "link", attrs, injectTo: "head" as const };
}

/** Let the first rows' code and its letters come beside the first bytes that ask for them, not after them. */
function preloaded(): Plugin {
  return {
    name: "preloaded",
    transformIndexHtml: {
      order: "post",
      handler: (html, { bundle }) => {
        const made = Object.values(bundle ?? {});
        const app = made.find((one) => one.type === "chunk" && one.name === "app");
        const scripts = app?.type === "chunk" ? [app.fileName, ...app.imports] : [];
        const letters = made.map(({ fileName }) => fileName).filter((name) => /inter-latin-wght-normal.*woff2$/.test(name));
        return [
          ...scripts.filter((name) => !html.includes(name)).map((name) => link({ rel: "modulepreload", href: `/${name}` })),
          ...letters.map((name) => link({ rel: "preload", as: "font", type: "font/woff2", crossorigin: "", href: `/${name}` })),
        ];
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), { ...locales.vite({ locales: ["de-DE", "en-US"] }), enforce: "pre" }, preloaded(), compressed("dist")],
  build: {
    target: "es2023",
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the Content-Security-Policy knows no data: addresses
    modulePreload: false, // `preloaded` says what is worth it
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "main", test: /src\/main\.ts$/ }] } } }, // one file, not three
    reportCompressedSize: false,
    chunkSizeWarningLimit: 600,
  },
});
