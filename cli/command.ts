// The commander command that all of ours are made of.
import { Command, type Option } from 'commander';

/** A command whose every flag can also be given in the environment, as `WSBENCH_<FLAG>`. */
export function newCommand(name: string): Command {
  const command = new Command(name);
  const add = command.addOption.bind(command);
  // The variable must be known when the option is added.
  command.addOption = (option) => add(option.negate ? option : option.env(variableOf(option)));
  command.configureHelp({ optionDescription });
  return command;
}

function variableOf(option: Option): string {
  return `WSBENCH_${option.name().replaceAll('-', '_').toUpperCase()}`;
}

/** As commander's, without naming the variable beside each flag. */
function optionDescription(option: Option): string {
  const choices = option.argChoices ? [`one of ${option.argChoices.join(', ')}`] : [];
  const standard = typeof option.defaultValue === 'string' ? [`default ${option.defaultValue}`] : [];
  const extra = [...choices, ...standard].join('; ');
  return extra === '' ? option.description : `${option.description} (${extra})`;
}
