import { defineConfig } from "vite";

// The build lands where Django looks for the static files of the app `dashboards`; its manifest says which page needs which
// file (dashboards/pages/assets.py). All names but the icon's hold a hash of what is inside.
export default defineConfig({
  base: "./",
  publicDir: "public",
  build: {
    outDir: "../static/dashboards",
    emptyOutDir: true,
    manifest: "manifest.json",
    assetsDir: "assets",
    assetsInlineLimit: 0, // a data: URL would need a hole in the Content-Security-Policy
    modulePreload: { polyfill: false },
    target: "es2022",
    rolldownOptions: {
      input: {
        shell: "src/entries/shell.ts",
        login: "src/entries/login.ts",
        password: "src/entries/password.ts",
        device: "src/entries/device.tsx",
        dashboard: "src/entries/dashboard.tsx",
        dashboardEdit: "src/entries/dashboard_edit.ts",
      },
    },
  },
});
