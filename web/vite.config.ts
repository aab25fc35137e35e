import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

const tests = (): string[] => readdirSync("tests").filter((name) => name.endsWith(".test.ts")).map((name) => `tests/${name}`);

/** `vite build` makes the two files that the console serves; `--mode test` makes what `node --test` runs. */
export default defineConfig(({ mode }) =>
  mode === "test"
    ? {
        build: {
          ssr: true,
          outDir: "node_modules/.tests",
          emptyOutDir: true,
          rolldownOptions: { input: tests(), output: { entryFileNames: "[name].mjs" } },
        },
        ssr: { noExternal: true },
      }
    : {
        logLevel: "error",
        build: {
          target: "es2022",
          chunkSizeWarningLimit: 1_000,
          outDir: "../salus/journeys/web/static/journeys/canvas",
          emptyOutDir: true,
          modulePreload: false,
          reportCompressedSize: false,
          rolldownOptions: {
            input: "src/main.tsx",
            output: { entryFileNames: "canvas.js", assetFileNames: "canvas.[ext]", codeSplitting: false },
          },
        },
      },
);
