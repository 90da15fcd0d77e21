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

/** Let the page's code and its letters come beside the first bytes that ask for them, not after them. */
function preloaded(): Plugin {
  return {
    name: "preloaded",
    transformIndexHtml: {
      order: "post",
      handler: (_, { bundle }) =>
        Object.values(bundle ?? {}).flatMap((part) => {
          const href = `/${part.fileName}`;
          const font = { rel: "preload", as: "font", type: "font/woff2", crossorigin: "" };
          if (part.type === "chunk" && part.isDynamicEntry) return [link({ rel: "modulepreload", href })];
          return /inter-latin-wght-normal.*woff2$/.test(href) ? [link({ ...font, href })] : [];
        }),
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
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 600,
  },
});
