// Compiles src/ with solc-js into artifacts/NAME.json, one a deployed contract. `--check` writes nothing and fails where a committed
// artifact does not come from the sources.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import solc from 'solc'

const CONTRACTS = ['Directory', 'Folders', 'Records', 'Consent', 'Medicines']
const SIZE_MAX = 24576 // EIP-170
const root = dirname(fileURLToPath(import.meta.url))
const settings = JSON.parse(readFileSync(join(root, 'solc-settings.json'), 'utf8'))

function sources(folder = 'src') {
  const found = {}
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) Object.assign(found, sources(path))
    else if (path.endsWith('.sol')) found[path] = { content: readFileSync(join(root, path), 'utf8') }
  }
  return found
}

// Over every file that the contract is made of, and the settings.
function hashOf(all, used) {
  const hash = createHash('sha256').update(JSON.stringify(settings))
  for (const path of used.sort()) hash.update(path + '\0' + all[path].content + '\0')
  return '0x' + hash.digest('hex')
}

function compile() {
  const all = sources()
  const input = {
    language: 'Solidity',
    sources: all,
    settings: { ...settings, outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'metadata', 'storageLayout'] } } },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input)))
  const problems = output.errors ?? []
  for (const problem of problems) console.error(problem.formattedMessage)
  if (problems.length > 0) throw new Error('the sources do not compile cleanly')
  return CONTRACTS.map((name) => {
    const made = output.contracts[`src/${name}.sol`][name]
    const size = made.evm.deployedBytecode.object.length / 2
    if (size >= SIZE_MAX) throw new Error(`${name} has ${size} bytes; EIP-170 allows ${SIZE_MAX}`)
    return {
      name,
      size,
      artifact: {
        contractName: name,
        solc: solc.version(),
        sourceHash: hashOf(all, Object.keys(JSON.parse(made.metadata).sources)),
        abi: made.abi,
        bytecode: '0x' + made.evm.bytecode.object,
        deployedBytecode: '0x' + made.evm.deployedBytecode.object,
        storageLayout: made.storageLayout.storage.map(({ label, slot, offset, type }) => ({ label, slot, offset, type: made.storageLayout.types[type].label })),
      },
    }
  })
}

const check = process.argv.includes('--check')
let stale = 0
mkdirSync(join(root, 'artifacts'), { recursive: true })
for (const { name, size, artifact } of compile()) {
  const path = join(root, 'artifacts', `${name}.json`)
  const text = JSON.stringify(artifact, null, 1) + '\n'
  if (!check) writeFileSync(path, text)
  else {
    let committed = ''
    try { committed = readFileSync(path, 'utf8') } catch { /* missing is stale */ }
    if (committed !== text) { console.error(`${name}: the artifact does not come from the sources; run: npm run build`); stale++ }
  }
  console.log(`${name.padEnd(10)} ${size} bytes`)
}
process.exit(stale === 0 ? 0 : 1)
