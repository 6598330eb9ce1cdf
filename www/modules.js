// Loads the WebAssembly modules of the site. The addresses of all files contain the version of the site.
export const versioned = (file) => new URL(file + new URL(import.meta.url).search, import.meta.url).href;

// Browsers remember by its address that a module failed to load: each attempt has another fragment.
const failures = {};

// Returns the exports of a module.
export const load = async (name) => {
  const fragment = failures[name] ? `#${failures[name]}` : "";
  try {
    const module = await import(versioned(`${name}.js`) + fragment);
    await module.default({ module_or_path: versioned(`${name}_bg.wasm`) });
    return module;
  } catch (error) {
    failures[name] = (failures[name] ?? 0) + 1;
    throw error;
  }
};

// Makes the browser keep the files of a module for later.
export const preload = (name) => {
  for (const file of [`${name}.js`, `${name}_bg.wasm`]) fetch(versioned(file)).catch(() => {});
};
